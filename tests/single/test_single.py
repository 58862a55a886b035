"""`train`: one experiment in a folder, which answers for no other one."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED, SMALL, printed, write_shards

from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.data import open_data
from slr_ray.corpora.embedded.corpus import EmbeddedConfig
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import Measured
from slr_ray.methods.recogniser import load_recogniser
from slr_ray.methods.seed_run import OnEpoch
from slr_ray.poses.shard_writing import shard_bytes, write_shard
from slr_ray.progress import ProgressBar
from slr_ray.records.measured import EpochRecord, MeasuredRecord
from slr_ray.records.stages import StageStore
from slr_ray.single import train as single
from slr_ray.train import train
from slr_ray.workers.place import Place


def embedded() -> Corpus:
    return open_data(build_experiment({"data": EMBEDDED}, "test").data)


def run(out: Path, *overrides: str, **options: Any) -> MeasuredRecord:
    train([*SMALL, *overrides], seed=0, out=str(out), num_threads=1, **options)
    return MeasuredRecord.model_validate_json((out / "seed_0/record.json").read_text())


def refused(capsys: pytest.CaptureFixture[str], *given: Any, **options: Any) -> str:
    with pytest.raises(SystemExit) as ended:
        run(*given, **options)
    assert ended.value.code == 2
    return capsys.readouterr().err


def write_split(path: Path, corpus: Corpus, *, swapped: bool = False) -> None:
    """Six signers train, one validates, one measures; `swapped` exchanges the last two."""
    last = ("test", "validation") if swapped else ("validation", "test")
    names = ("training",) * 6 + last
    ids = corpus.clip_ids.to_pylist()
    rows = [f"{ids[row]},{names[signer]}" for row, signer in enumerate(corpus.signer_index)]
    path.write_text("\n".join(["clip_id,split", *rows]))


@pytest.mark.parametrize("folds", [None, 2])
def test_a_folder_answers_for_what_its_training_starts_from(
    folds: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the same path may lie other clips by the second call."""
    corpus = open_data(EmbeddedConfig(num_glosses=12, num_signers=8, seed=5))
    rows, others = list(range(corpus.num_clips)), tmp_path / "others.parquet"
    start = [
        f"initialisation={{kind: other_glosses, data: {others}, num_epochs: 1}}",
        "training.steps_per_epoch=1",
    ]

    def again() -> None:
        train([*SMALL, *start], seed=0, out=str(tmp_path / "out"), num_threads=1, folds=folds)

    write_shards(others, corpus, rows)
    again()
    again()
    write_shards(others, corpus, rows[::2])
    with pytest.raises(SystemExit) as ended:
        again()
    assert ended.value.code == 2
    assert "another experiment (other initialisation)" in capsys.readouterr().err


@pytest.mark.parametrize("folds", [None, 2])
def test_rounds_that_choose_nothing_are_told(
    folds: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = ["method.kind=sslr", "method.num_rounds=2", "method.selection.kind=threshold"]
    options = {"seed": 0, "num_threads": 1, "folds": folds}
    sure = [*rule, "method.selection.confidence=0.999999"]
    train([*SMALL, *sure], out=str(tmp_path / "none"), **options)
    told = printed(capsys)
    assert told.count("no further round: the rule selected no clip in round 1") == (folds or 1)
    assert told.count("; this is supervised learning alone") == (folds or 1)
    all_in_one = [*rule, "method.selection.confidence=0", "method.num_rounds=1"]
    train([*SMALL, *all_in_one], out=str(tmp_path / "all"), **options)
    assert "no further round" not in printed(capsys)


def test_a_folder_answers_for_its_own_data_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, shards = embedded(), tmp_path / "poses.parquet"
    write_shards(shards, corpus, list(range(corpus.num_clips)))
    first = run(tmp_path / "out", data=str(shards))
    assert run(tmp_path / "out", data=str(shards)) == first
    write_shards(shards, corpus, list(range(0, corpus.num_clips, 2)))
    assert "another experiment (other data, split)" in refused(
        capsys, tmp_path / "out", data=str(shards)
    )
    assert "(other data, split, configuration)" in refused(
        capsys, tmp_path / "out", "training.num_epochs=2", data=str(shards)
    )


def test_a_changed_split_file_is_another_experiment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = embedded()
    data = [f"data.{name}={value}" for name, value in EMBEDDED.items()]
    split = ["split.kind=file", f"split.path={tmp_path / 'split.csv'}"]
    write_split(tmp_path / "split.csv", corpus)
    run(tmp_path / "out", *data, *split)
    write_split(tmp_path / "split.csv", corpus, swapped=True)
    assert "another experiment (other split)" in refused(capsys, tmp_path / "out", *data, *split)


def test_real_unlabelled_clips_hide_no_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, shards = embedded(), tmp_path / "poses.parquet"
    clips = [corpus.clip(row) for row in range(corpus.num_clips)]
    clips = [replace(one, gloss=None) if row % 3 else one for row, one in enumerate(clips)]
    write_shard(shards, clips, {"extractor": "embedded"})
    run(tmp_path / "all", data=str(shards))
    assert "no label hidden (pool.kind=all)" in printed(capsys)
    run(tmp_path / "few", "pool.kind=signers", "pool.num_signers=1", data=str(shards))
    assert "labels hidden (pool.num_signers=1)" in printed(capsys)
    # What a search or an earlier training wrote names its pool.
    run(tmp_path / "again", config=str(tmp_path / "few/seed_0/config.yaml"))
    assert "labels hidden (pool.num_signers=1)" in printed(capsys)


def test_it_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus, shards = embedded(), tmp_path / "poses.parquet"
    clips = [corpus.clip(row) for row in range(corpus.num_clips)]
    trains, measures = (int(np.flatnonzero(corpus.signer_index == one)[0]) for one in (0, 7))
    clips[trains] = replace(clips[trains], gloss="few")
    clips[measures] = replace(clips[measures], gloss="odd")
    clips.append(replace(clips[0], clip_id="broken", positions=clips[0].positions * np.nan))
    shards.write_bytes(shard_bytes(clips, {"extractor": "embedded"}))
    write_split(tmp_path / "split.csv", corpus)
    split = ("split.kind=file", f"split.path={tmp_path / 'split.csv'}")
    pool = ("pool.kind=signers", "pool.num_signers=1")
    run(tmp_path / "out", "data.skip_broken=true", *split, *pool, data=str(shards))
    told = printed(capsys)
    assert "1 broken clips left out broken: clip 'broken' has NaN" in told
    assert "always wrong: odd" in told
    assert "no label for: few" in told


def test_without_unlabelled_clips_training_ends_after_the_first_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [f"data.{name}={value}" for name, value in EMBEDDED.items()]
    record = run(tmp_path, *data, labelled_fraction=1.0)
    assert "no unlabelled clip (pool.fraction=1)" in printed(capsys)
    assert record.trained is not None
    assert record.trained.num_unlabelled == 0
    assert len(record.trained.rounds) == 1
    assert record.trained.stopped_because == "no unlabelled clip"


def test_a_configuration_may_be_behind_a_uri(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(tmp_path / "first")
    uri = f"file://{tmp_path}/first/seed_0/config.yaml"
    train([], seed=0, out=str(tmp_path / "again"), num_threads=1, config=uri)
    again = (tmp_path / "again/seed_0/record.json").read_text()
    assert MeasuredRecord.model_validate_json(again).test == first.test
    recogniser = load_recogniser(f"file://{tmp_path}/again/seed_0/checkpoint.pt")
    assert recogniser.config.training.metric == "balanced_accuracy"
    missing = refused(capsys, tmp_path / "none", config=f"file://{tmp_path}/none.yaml")
    assert "none.yaml" in missing


def test_the_bar_of_a_resumed_training_begins_where_the_last_one_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ("training.num_epochs=3", "method.num_epochs=4", "training.evaluate_every_epochs=2")
    undisturbed = single.train_and_measure
    monkeypatch.setattr(single, "ProgressBar", partial(ProgressBar, line_every_s=0.0))

    def interrupted(
        prepared: Prepared, seed: int, stages: StageStore, place: Place, on_epoch: OnEpoch
    ) -> Measured:
        def until_the_second_round(record: EpochRecord) -> None:
            on_epoch(record)
            if record.round:
                raise KeyboardInterrupt

        return undisturbed(prepared, seed, stages, place, until_the_second_round)

    def bars() -> list[str]:
        lines = capsys.readouterr().out.splitlines()
        return [one.split(",")[0] for one in lines if re.match(r"training \d+/", one)]

    monkeypatch.setattr(single, "train_and_measure", interrupted)
    with pytest.raises(SystemExit):
        run(tmp_path, *overrides)
    assert bars() == ["training 2/7", "training 3/7", "training 5/7"]
    monkeypatch.setattr(single, "train_and_measure", undisturbed)
    run(tmp_path, *overrides)
    assert bars() == ["training 5/7", "training 7/7"]
