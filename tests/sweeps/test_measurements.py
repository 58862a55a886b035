"""What a table may measure besides accuracy: frozen encoders, transfer, robustness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiment_factory import EMBEDDED, write_shards
from sentence_experiments import SENTENCES
from sweep_factory import TABLE, new_sweep, run_here
from tensorboard.backend.event_processing.event_accumulator import ScalarEvent
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.evaluation.people import difference_spans, spans
from slr_ray.records.predictions import pooled
from slr_ray.records.sweeps import CellRecord, SweepFolder
from slr_ray.reporting.board import board_folder
from slr_ray.reporting.wording import points
from slr_ray.sentences.people import SentenceCounts
from slr_ray.sweeps.board import write_board
from slr_ray.sweeps.differences import differences, differences_table
from slr_ray.sweeps.page import document
from slr_ray.sweeps.printed import printed_tables
from slr_ray.sweeps.results import load_sweep

FRESH = {"kind": "encoder", "source": "fresh"}
ENCODERS: dict[str, Any] = {
    "name": "encoders",
    "title": "Encoders",
    "base": {
        "preset": "ssl_slr_small",
        "data": EMBEDDED,
        "pool": {"kind": "all"},
        "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
        "training": {"num_epochs": 1, "steps_per_epoch": 2, "max_frames": 8},
        "initialisation": {"num_steps": 4, "batch_size": 32, "collapse_threshold": 0.0},
    },
    "measure": {"kind": "encoder"},
    "grid": {"initialisation.objective.kind": ["sl_fpn", "simclr"]},
    "settings": [
        {"name": "encoder", "title": "Pre-trained"},
        {"name": "fresh", "title": "Fresh", "axes": [], "measure": {**FRESH}},
        {
            "name": "poses",
            "title": "Poses",
            "axes": [],
            "measure": {**FRESH, "source": "poses"},
        },
    ],
    "figures": ["linear", "knn", "mlp", "semi", "inertia_share", "embedding_std"],
    "compare": [
        {
            "of": {"initialisation.objective.kind": "sl_fpn"},
            "against": {"initialisation.objective.kind": "simclr"},
        },
        {"of": {"setting": "encoder"}, "against": {"setting": "fresh"}},
    ],
}


def scalars(folder: SweepFolder, tag: str) -> list[ScalarEvent]:
    """What TensorBoard reads under a tag of the first cell that has it."""
    files = EventMultiplexer().AddRunsFromDirectory(str(board_folder(folder.store))).Reload()
    name = next(name for name, run in files.Runs().items() if tag in run["scalars"])
    return list(files.Scalars(name, tag))


def test_an_encoder_is_measured_by_every_protocol(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path, ENCODERS, name="encoders", seeds=1)
    run_here(sweep)
    result = load_sweep(sweep.folder)
    assert not result.holes
    (shown,) = printed_tables(result, "embedded")
    rows = {tuple(row[:2]): row[2:] for row in shown.rows}
    assert "–" not in rows["sl_fpn", "Pre-trained"]
    assert rows["–", "Fresh"][-1] == "–" != rows["–", "Fresh"][0]
    assert [one == "–" for one in rows["–", "Poses"]] == [True, False, True, True, False, True]
    # Six figures of one and two places.
    assert len(differences(result)) == 6 * (1 + 2) - 1 * 2
    record = next(iter(sweep.plan.cells.values())).folder.read_record(CellRecord)
    assert record.curves["embedding_std"]
    assert "curve_0" in [one.name for one in document(result).figures()]
    write_board(sweep.folder, sweep.folder.read_sweep())
    steps = [one.step for one in scalars(sweep.folder, "embedding_std")]
    assert steps == [x for x, _ in record.curves["embedding_std"]]


def test_a_transfer_learns_from_the_other_corpus_only(tmp_path: Path) -> None:
    own, other = tmp_path / "own.parquet", tmp_path / "other.parquet"
    for path, seed in ((own, 1), (other, 2)):
        corpus = open_embedded(EmbeddedConfig(num_glosses=4, num_signers=8, seed=seed))
        write_shards(path, corpus, list(range(0, corpus.num_clips, 2)))
    learnt = {"clips": "extra", "extra_data": [str(other)]}
    data = {"kind": "shards", "location": str(own)}
    table = {**ENCODERS, "settings": ENCODERS["settings"][:1], "compare": []}
    sweep = new_sweep(
        tmp_path,
        table,
        {"initialisation.objective.kind": "simclr"},
        name="encoders",
        corpora=[{"data": data}, {"data": data, "initialisation": learnt}],
        seeds=1,
    )
    assert [one.title for one in sweep.blocks] == ["own", "other → own"]
    prepared = list(sweep.plan.prepared.values())
    learnt_from = [{corpus.name for corpus, _ in one.pretraining_clips.parts} for one in prepared]
    assert learnt_from == [{"own"}, {"other"}]
    run_here(sweep)
    values = [one.values("linear")[0] for one in load_sweep(sweep.folder).places]
    assert len(values) == 2


def test_robustness_is_a_curve_for_each_kind(tmp_path: Path) -> None:
    table = {
        **{key: TABLE[key] for key in ("base", "settings")},
        "name": "robust",
        "title": "Robustness",
        "settings": [TABLE["settings"][0]],
        "measure": {
            "kind": "robustness",
            "perturbations": {
                **{one: [] for one in ("translation", "rotation", "dropped_joints", "frame_rate")},
                "scale": [0.5, 2.0],
                "mirror": [1.0],
                "dropped_frames": [1.0],
            },
        },
        "figures": ["accuracy", "scale", "mirror", "dropped_frames"],
    }
    sweep = new_sweep(tmp_path, table, name="robust", seeds=1)
    run_here(sweep)
    (cell,) = sweep.plan.cells.values()
    record = cell.folder.read_record(CellRecord)
    clean = record.figures["accuracy"]
    assert [x for x, _ in record.curves["scale"]] == [0.5, 1.0, 2.0]
    assert record.curves["scale"][1][1] == clean
    assert record.figures["mirror"] == record.curves["mirror"][1][1]
    # The signing space undoes a scale; what it can't undo is what was lost.
    assert record.figures["scale"] == pytest.approx(clean, abs=1e-6)
    assert len(document(load_sweep(sweep.folder)).figures()) == 3
    write_board(sweep.folder, sweep.folder.read_sweep())
    for strength, accuracy in record.curves["scale"]:
        (shown,) = scalars(sweep.folder, f"scale/{strength:g}")
        assert shown.value == pytest.approx(accuracy)


def test_sentences_of_all_folds_are_one_result_with_people_drawn_again(tmp_path: Path) -> None:
    methods = {"fsl": {}, "spliced": {"sentences": {"splice_probability": 0.8}}}
    table = {
        "name": "sentences",
        "title": "Sentences",
        "base": {**SENTENCES, "training": {**SENTENCES["training"], "num_epochs": 1}},
        "measure": {"kind": "sentences"},
        "grid": {"pool.kind": ["all"]},
        "settings": [{"name": one, "title": one, "config": own} for one, own in methods.items()],
        "figures": ["wer", "segment_f1_50"],
        "compare": [{"of": {"setting": "spliced"}, "against": {"setting": "fsl"}}],
    }
    sweep = new_sweep(tmp_path, table, name="sentences", seeds=1, folds=2)
    run_here(sweep)
    result = load_sweep(sweep.folder)
    counts: dict[str, list[SentenceCounts]] = {}
    for place in result.places:
        cells = [one for one in sweep.plan.entries if one.setting == place.setting]
        folds = [sweep.folder.cell(str(one.key)) for one in cells]
        own = [SentenceCounts.of(pooled(one.sentence_predictions() for one in folds))]
        counts[place.setting] = own
        tests = [one.read_record(CellRecord).figures["wer"] for one in folds]
        # Errors over all glosses, which is no mean over folds.
        assert place.values("wer")[0] == own[0].once()["wer"]
        assert min(tests) <= place.values("wer")[0] <= max(tests)
        assert place.over_signers("wer") == spans(own)["wer"]
    shown = differences_table(result, differences(result))
    assert shown is not None
    at = [one.title for one in shown.columns].index("over signers")
    span = difference_spans(counts["spliced"], counts["fsl"])["wer"]
    assert shown.rows[0][at] == f"{points(span.low)} to {points(span.high)}"
