"""A search over people: each fold chooses on its own validation, each arm's folds make one result.

In this process: what Ray adds is the same with folds and without.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import new_run, plan
from record_factory import trial_record
from sentence_experiments import SENTENCES

from slr_ray.errors import ConfigError
from slr_ray.evaluation.people import SignerCounts
from slr_ray.experiment.experiment import build_experiment
from slr_ray.records.measured import of_sentences
from slr_ray.records.runs import best_trial
from slr_ray.reporting.report import write_report
from slr_ray.reporting.run import load_run
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.reporting.verdict import verdict
from slr_ray.search.comparison.arms import Candidates, arm_cells, arms_for
from slr_ray.search.comparison.pooled import pool_arms
from slr_ray.search.draws import Draw, final_draws, search_draws
from slr_ray.search.search_run import SearchRun, begin, begin_final, check_data, resumed
from slr_ray.search.trial import TrialTask
from slr_ray.workers.place import this_place

FOLDS = {"split": {"kind": "folds", "num_folds": 2}, "search.every_fold": True}


def test_trials_go_through_folds_and_seeds_in_rotation() -> None:
    assert search_draws((3, 4), None) == (Draw(3), Draw(4))
    assert search_draws((0, 1), 3) == (Draw(0, 0), Draw(1, 1), Draw(0, 2))
    assert search_draws((0, 1, 2), 2) == (Draw(0, 0), Draw(1, 1), Draw(2, 0))
    every = [Draw(seed, fold) for seed, fold in itertools.product((0, 1), (0, 1, 2))]
    assert list(final_draws((0, 1), 3)) == every


def test_a_fold_takes_what_validated_best_in_it() -> None:
    def trial(number: int, *values: float, **changes: Any):
        record = trial_record(number, value=float(np.mean(values)), **changes)
        (own,) = record.seeds
        seeds = []
        for fold, value in enumerate(values):
            rounds = [
                one.model_copy(
                    update={"validation": one.validation.model_copy(update={"accuracy": value})}
                )
                for one in own.rounds
            ]
            seeds.append(own.model_copy(update={"fold": fold, "rounds": rounds}))
        return record.model_copy(update={"seeds": seeds})

    trials = [trial(0, 0.5, 0.6), trial(1, 0.9, 0.4), trial(2, 0.1, 0.6)]
    chosen = [best_trial(trials, "accuracy", fold) for fold in (0, 1, None)]
    assert [one.number for one in chosen if one is not None] == [1, 0, 1]
    assert best_trial([], "accuracy", 0) is None


def test_every_fold_needs_folds(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs split\.kind=folds, got signer"):
        new_run(tmp_path, {"search.every_fold": True})


def _searched(run: SearchRun) -> Sequence[str]:
    """One trial and all arms of a run, in this process; the arms' names."""
    task = TrialTask(run.context, 0, run.space.default, {}, "start_from", run.opener)
    task.run(this_place(), lambda _: None)
    progress = task.folder.read_progress()
    assert progress is not None
    task.folder.write_record(progress)
    assert [(one.seed, one.fold) for one in progress.seeds] == [(0, 0), (0, 1)]
    metric = run.context.metric
    assert progress.value == pytest.approx(
        np.mean([progress.value_in(fold, metric) for fold in (0, 1)])
    )
    config = build_experiment(task.folder.read_config(), "trial 0")
    of_folds = dict.fromkeys(run.folds, Candidates(config, run.space.default))
    for cell in arm_cells(run.context, of_folds, run.final_draws):
        cell.run(this_place(), lambda _: None)
    names = [one.name for one in arms_for(run.space.default)]
    pool_arms(run.folder, names, run.space.search.final_seeds, 2)
    return names


def test_all_people_are_in_one_verdict(tmp_path: Path) -> None:
    run = new_run(tmp_path, FOLDS)
    split = check_data(run)
    begin(run, split)
    tested = sum(one["num_test"] for one in split["folds"].values())
    assert tested == run.default.corpus.num_clips
    assert "2 trials on 2 label draws in 2 folds" in plan(run)
    names = _searched(run)
    begin_final(run, run.folder.read_run(), [0, 0])
    again = resumed(run.folder.location, {}, run.command)
    assert f"0 of {2 * len(names)} measurements" in plan(again)
    _check_pooled(run.folder, names, run.default.corpus.num_clips)
    loaded = load_run(run.folder.location)
    found = verdict(loaded)
    assert set(loaded.people("fsl")[0].signers) == set(run.default.corpus.signers)
    assert all(one.over_signers is not None for one in found.comparisons)
    assert any("Each of 2 folds took the trial" in one for one in found.caveats)
    write_report(loaded)
    report = (tmp_path / "run/report.md").read_text()
    assert "Label budget:" in report
    assert "for validation in each fold" in report


def test_all_signers_of_sentences_are_in_one_verdict(tmp_path: Path) -> None:
    method = {"kind": "sslr_sentences", "num_rounds": {"int": [1, 2]}}
    pool = {"kind": "fraction", "fraction": 0.5}
    run = new_run(tmp_path, FOLDS, **SENTENCES, method=method, pool=pool)
    begin(run, check_data(run))
    names = _searched(run)
    corpus = run.default.corpus
    for name in names:
        whole = run.folder.arm(name, 0)
        record, answers = whole.arm(), whole.sentence_predictions()
        parts = [of_sentences(run.folder.arm(name, 0, fold).arm().test) for fold in (0, 1)]
        test = of_sentences(record.test)
        assert [one.clip_id for one in answers] == sorted(corpus.clip_ids.to_pylist())
        assert test.num_clips == corpus.num_clips == sum(one.num_clips for one in parts)
        assert sum(one.num_clips for one in record.by_length) == test.num_clips
        errors = Answered("", 0, [answers], (), ()).together
        assert test.wer == errors.rate == pytest.approx(1 - test.gloss_accuracy)
        assert test.deletions == errors.deletions == sum(one.deletions for one in parts)
        # What the best models of the folds say in time lies between them.
        frames = [one.frame_accuracy for one in parts if one.frame_accuracy is not None]
        assert test.frame_accuracy is not None
        assert min(frames) <= test.frame_accuracy <= max(frames)
        right = np.trace(np.array(record.confusion))
        assert right == errors.num_glosses - errors.deletions - errors.substitutions
        if test.wer < 1:
            assert any(record.f1_per_gloss.values())
    loaded = load_run(run.folder.location)
    assert all(one.over_signers is not None for one in verdict(loaded).comparisons)
    write_report(loaded)
    assert "Word errors" in (tmp_path / "run/report.md").read_text()


def _check_pooled(folder, names: list[str], num_clips: int) -> None:
    assert len(folder.arms()) == len(names)
    for name in names:
        whole, parts = folder.arm(name, 0), [folder.arm(name, 0, fold) for fold in (0, 1)]
        record, of_parts = whole.arm(), [one.arm() for one in parts]
        assert record.test.num_clips == num_clips == len(whole.predictions())
        shares = [one.test.accuracy * one.test.num_clips for one in of_parts]
        assert record.test.accuracy == pytest.approx(sum(shares) / num_clips)
        confusion = np.array(record.confusion)
        assert np.trace(confusion) / confusion.sum() == pytest.approx(record.test.accuracy)
        assert record.test.macro_f1 == pytest.approx(np.mean(list(record.f1_per_gloss.values())))
        counts = SignerCounts.of(whole.predictions())
        assert record.test.balanced_accuracy == counts.once()["balanced_accuracy"]
    # The last model of the last round, whatever validated best.
    for fold in (0, 1):
        last = folder.arm("sslr_last", 0, fold).arm().trained
        assert last.best_round == len(last.rounds) - 1
        assert folder.arm("sslr_last", 0, fold).read_config()["training"]["keep"] == "last"
