"""`train --folds`: everybody is tested once, and going on repeats nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import EMBEDDED, SMALL, printed
from sentence_experiments import SENTENCES, opened_sentences

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.corpora.data import open_data
from slr_ray.evaluation.people import SignerCounts
from slr_ray.experiment.experiment import build_experiment
from slr_ray.records.measured import of_sentences
from slr_ray.records.predictions import pooled
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.storage import Store
from slr_ray.train import train

DATA = tuple(f"data.{name}={value}" for name, value in EMBEDDED.items())


def run(out: Path, *overrides: str, folds: int = 2, num_seeds: int = 1) -> TrainedFolder:
    given = [*DATA, *SMALL, "method.num_rounds=0", *overrides]
    train(given, folds=folds, num_seeds=num_seeds, seed=0, out=str(out), num_threads=1)
    return TrainedFolder(Store(str(out)))


def test_all_people_are_pooled_and_nothing_is_done_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path, num_seeds=2)
    told = printed(capsys)
    record = folder.folds()
    corpus = open_data(build_experiment({"data": EMBEDDED}, "test").data)
    assert record.num_clips == int((corpus.gloss_index != UNLABELLED).sum())
    assert (record.num_signers, record.num_folds, record.seeds) == (8, 2, [0, 1])
    people = [name for one in record.folds for name in one.signers]
    assert sorted(people) == list(corpus.signers)
    assert "fold 1 of 2 by signer" in told
    assert "macro-F1" in (tmp_path / "folds.md").read_text()
    for name, metric in record.metrics.items():
        assert metric.over_seeds.mean == pytest.approx(np.mean(metric.by_seed))
        assert metric.over_signers.low <= metric.over_seeds.mean <= metric.over_signers.high
        for seed in (0, 1):
            every = pooled(folder.result(seed, fold).predictions() for fold in (0, 1))
            assert metric.by_seed[seed] == SignerCounts.of(every).once()[name]
    # A fold's own record says the same of its clips as its predictions do.
    own = folder.result(1, 0)
    assert own.measured().test.accuracy == pytest.approx(
        SignerCounts.of(own.predictions()).once()["accuracy"]
    )
    # Going on, with a seed more, trains only that.
    before = (tmp_path / "fold_1/seed_1/record.json").stat().st_mtime_ns
    assert run(tmp_path, num_seeds=3).folds().metrics["accuracy"].by_seed[:2] == (
        record.metrics["accuracy"].by_seed
    )
    assert (tmp_path / "fold_1/seed_1/record.json").stat().st_mtime_ns == before
    # A fold can be trained again from its configuration.
    assert folder.result(0, 1).read_config()["split"]["fold"] == 1


def test_sentences_are_pooled_by_their_word_errors(tmp_path: Path) -> None:
    def settings(tree: dict[str, Any], before: str = "") -> list[str]:
        return [
            setting
            for name, value in tree.items()
            for setting in (
                settings(value, f"{before}{name}.")
                if isinstance(value, dict)
                else [f"{before}{name}={value}"]
            )
        ]

    train(settings(SENTENCES), folds=2, num_seeds=2, seed=0, out=str(tmp_path), num_threads=1)
    folder = TrainedFolder(Store(str(tmp_path)))
    record = folder.folds()
    assert (record.num_clips, record.num_signers) == (opened_sentences().corpus.num_clips, 6)
    assert list(record.metrics) == ["wer", "frame_accuracy", "segment_f1_50", "boundary_f1_50"]
    wer = record.metrics["wer"]
    for seed in (0, 1):
        tests = [of_sentences(folder.result(seed, fold).measured().test) for fold in (0, 1)]
        errors = sum(one.wer * one.num_glosses for one in tests)
        assert wer.by_seed[seed] == pytest.approx(errors / sum(one.num_glosses for one in tests))
    for one in record.metrics.values():
        assert one.over_signers.low <= one.over_seeds.mean <= one.over_signers.high
    assert record.folds[0].test["wer"] > 0
    text = (tmp_path / "folds.md").read_text()
    assert "WER" in text
    assert "segment F1 at IoU 0.5" in text


@pytest.mark.parametrize(
    ("overrides", "options", "words"),
    [
        (["split.fold=1"], {}, "--folds takes every fold"),
        (["split.kind=clip"], {}, "split.kind=clip contradicts --folds 2"),
        (["split.num_folds=3"], {}, "split.num_folds=3 contradicts --folds 2"),
        ([], {"folds": 9}, "8 signers with labelled clips; take fewer folds"),
        ([], {"folds": None, "num_seeds": 2}, "--num-seeds goes with --folds"),
    ],
)
def test_what_contradicts_folds_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides, options, words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, *overrides, **options)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_folder_of_one_split_is_no_folder_of_folds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train([*DATA, *SMALL], seed=0, out=str(tmp_path), num_threads=1)
    with pytest.raises(SystemExit):
        run(tmp_path)
    assert "holds another experiment" in capsys.readouterr().err
