"""What a comparison found: folds pooled over people, and a document of the differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slr_ray.documents.markdown import to_markdown
from slr_ray.encoders.compare import ObjectiveComparison
from slr_ray.encoders.compared import Compared, compared
from slr_ray.encoders.comparison_report import objectives_document, objectives_table
from slr_ray.encoders.records import ObjectiveRecord
from slr_ray.evaluation.people import SignerCounts
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.experiment.opener import Opener
from slr_ray.records.predictions import ClipPrediction
from slr_ray.workers.place import this_place

TREE: dict[str, Any] = {
    "preset": "ssl_slr_small",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "split": {"kind": "folds", "num_folds": 2},
    "pool": {"kind": "all"},
    "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
    "training": {"max_frames": 8},
    "initialisation": {"kind": "pretraining", "num_steps": 2, "batch_size": 16},
}


def test_every_fold_pre_trains_without_its_people(tmp_path: Path) -> None:
    given = ObjectiveComparison(
        TREE, ("simclr",), ("boundary",), seeds=(0,), location=str(tmp_path), every_fold=True
    )
    tasks = given.tasks()
    assert [one.name for one in tasks] == ["fold_0/simclr-boundary/0", "fold_1/simclr-boundary/0"]
    found = []
    for task in tasks:
        task.run(this_place(), lambda _: None)
        found.append((("simclr", "boundary"), task.seed, task.result))
    splits = [Opener().prepare(task.config).split for task in tasks]
    for task, split in zip(tasks, splits, strict=True):
        encoder = load_encoder(tmp_path / task.result.folder / "encoder.pt")
        corpus = Opener().prepare(task.config).corpus
        assert not set(encoder.signers) & set(corpus.signers_of(split.measured))
    (whole,) = compared(found, 2)
    (record,) = whole.records
    parts = [task.result.record() for task in tasks]
    for name, counts in whole.people.items():
        # Everybody once: accuracy is a mean over clips, not over folds.
        assert set(counts[0].signers) == set(corpus.signers)
        test, of_parts = (
            record.classifiers[name].test,
            [one.classifiers[name].test for one in parts],
        )
        assert test.num_clips == corpus.num_clips
        hits = sum(one.accuracy * one.num_clips for one in of_parts)
        assert test.accuracy == pytest.approx(hits / corpus.num_clips)
        assert test.balanced_accuracy == counts[0].once()["balanced_accuracy"]
        span = whole.over_signers(name, "accuracy")
        assert span is not None
        assert span.low <= test.accuracy <= span.high
    # A seed that lacks a fold says nothing of everybody.
    assert compared(found[:1], 2) == []


def results() -> list[Compared]:
    """Two objectives, two kinds of views, three seeds; each of two signers has five clips."""
    found = []
    for objective, base in (("sl_fpn", 0.6), ("simclr", 0.7)):
        for augmentation, more in (("boundary", 0.05), ("standard", 0.0)):
            records = []
            for seed in range(3):
                metrics = {
                    "num_clips": 10,
                    "loss": 1.0,
                    "accuracy": base + more + 0.01 * seed,
                    "top5_accuracy": 1.0,
                    "balanced_accuracy": 0.5,
                    "macro_f1": 0.5,
                    "calibration_error": 0.1,
                }
                classifier = {"setting": "C=1", "validation": metrics, "test": metrics}
                fields = {
                    "objective": objective,
                    "augmentation": augmentation,
                    "seed": seed,
                    "classifiers": dict.fromkeys(("linear", "mlp", "knn"), classifier),
                    "inertia_share": 0.5,
                    "effective_rank": 3.0,
                    "embedding_std": 0.9,
                    "num_steps": 2,
                    "clips_per_s": 10.0,
                    "training_s": 1.0,
                }
                records.append(ObjectiveRecord.model_validate(fields))
            # One of ten clips more is right with boundary views, of whichever signer.
            right = 3 + (augmentation == "boundary")
            answers = [
                ClipPrediction(f"{who}{clip}", who, "a", ("a" if clip < right else "b",), 0.5)
                for who in "xy"
                for clip in range(5)
            ]
            counts = (SignerCounts.of(answers),) * 3
            people: Any = dict.fromkeys(("linear", "mlp", "knn"), counts)
            found.append(Compared((objective, augmentation), tuple(records), people))
    return found


def test_the_document_says_what_differs() -> None:
    text = to_markdown(objectives_document(results(), {"encoders/x/0": "Broken: no"}, {}))
    assert "encoders/x/0 failed: Broken: no" in text
    # Half-width of three values 0.01 apart: 4.303 * 0.01 / sqrt(3) = 2.5 points.
    assert "66.0 ± 2.5" in text
    rows = [line for line in text.splitlines() if " − " in line]
    assert any("SL-FPN, boundary − SL-FPN, standard" in row and "+5.0" in row for row in rows)
    assert any("SL-FPN, boundary − SimCLR, boundary" in row and "−10.0" in row for row in rows)
    # Each signer has one clip of five more right, whoever is drawn.
    assert any("+20.0 to +20.0" in row for row in rows)
    assert text.count("| MLP |") == 4
    table = objectives_table(results())
    assert [column.header for column in table.columns][2:4] == [
        "linear accuracy",
        "linear top-5 accuracy",
    ]


def test_one_seed_has_an_interval_over_signers_alone() -> None:
    one_seed = [
        Compared(one.kind, one.records[:1], {name: had[:1] for name, had in one.people.items()})
        for one in results()
    ]
    text = to_markdown(objectives_document(one_seed, {}, {}))
    assert "+20.0 to +20.0" in text
