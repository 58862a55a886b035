"""Replay: other rules on saved predictions, of a single result and of a search."""

from __future__ import annotations

import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from experiment_factory import opened
from record_factory import run_record, seed_record, trial_record
from rich.console import Console
from sentence_experiments import sentence_experiment

from slr_ray.corpora.folds import FoldsSplitConfig
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.seed_run import prepare_seed, round_key
from slr_ray.methods.sslr import rounds
from slr_ray.methods.sslr import seed_record as recorded
from slr_ray.records.measured import MeasuredRecord
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.stages import StageStore
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.search.draws import search_draws
from slr_ray.single.folds import prepare_folds, run_folds
from slr_ray.single.replay import replay_run
from slr_ray.single.replay_tables import Replayed
from slr_ray.single.saved_runs import saved_runs
from slr_ray.single.train import run_single
from slr_ray.storage import Store
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

METHOD = {
    "kind": "sslr",
    "num_rounds": 2,
    "pseudo_labels": "reselect",
    "growth": "linear",
    "selection": {"kind": "top_per_gloss", "num_clips": 3},
}


def small(**method: Any) -> Experiment:
    return build_experiment(
        {
            "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
            "pool": {"kind": "fraction", "fraction": 0.1},
            "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
            "training": {"num_epochs": 2, "steps_per_epoch": 4, "batch_size": 16, "max_frames": 8},
            "method": {**METHOD, **method},
        },
        "test",
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, MeasuredRecord]:
    folder = tmp_path_factory.mktemp("trained")
    written = run_single(opened(small()), 0, str(folder), 1, Console(quiet=True))
    return str(folder), written.measured()


def replayed(
    location: str, *rules: str, trial: int | None = None, **overrides: Any
) -> tuple[list[Replayed], str]:
    console = Console(file=StringIO(), width=250)
    given = {name.replace("__", "."): value for name, value in overrides.items()}
    found = replay_run(location, given, rules, trial, True, console)
    return found, console.file.getvalue()  # type: ignore[attr-defined]


def test_the_runs_own_rule_chooses_what_the_run_chose(
    result: tuple[str, MeasuredRecord],
) -> None:
    found, _ = replayed(result[0], "top_per_gloss num_clips=3")
    assert result[1].trained is not None
    audits = [one.audit for one in result[1].trained.rounds[1:]]
    assert len(found) == len(audits) == 2
    for one, audit in zip(found, audits, strict=True):
        assert audit is not None
        assert one.num_clips == audit.num_selected
        assert one.per_gloss.tolist() == list(audit.selected_per_gloss.values())
        assert one.precision == pytest.approx(audit.precision)
        assert one.num_pool == audit.num_unlabelled


def test_all_folds_of_a_cross_validation(tmp_path: Path) -> None:
    split = FoldsSplitConfig(num_folds=2)
    folds = prepare_folds(small(num_rounds=1).model_copy(update={"split": split}), Opener())
    run_folds(folds, [0], str(tmp_path), 1, Console(quiet=True))
    found, text = replayed(str(tmp_path), "top_per_gloss num_clips=3")
    assert "2 folds: 2 training(s)" in text
    records = [TrainedFolder(Store(str(tmp_path))).result(0, fold).measured() for fold in (0, 1)]
    for one, record in zip(found, records, strict=True):
        assert record.trained is not None
        audit = record.trained.rounds[1].audit
        assert audit is not None
        assert one.num_pool == audit.num_unlabelled
        assert one.per_gloss.tolist() == list(audit.selected_per_gloss.values())


def test_every_rule_that_the_evidence_allows(result: tuple[str, MeasuredRecord]) -> None:
    found, text = replayed(result[0])
    kinds = {one.rule.split()[0] for one in found}
    assert {"threshold", "quantile", "curriculum", "adaptive", "class_rebalanced"} <= kinds
    assert found[0].rule.startswith("top_per_gloss num_clips=3")
    assert "not replayed: uncertainty" in text
    assert "passes with dropout, which the run has not kept" in text
    assert "audit by hidden labels: for reading only" in text
    # Of round 1 and round 2, each rule once.
    assert len(found) == 2 * len({one.rule for one in found})


def test_a_printed_rule_can_be_given_again(tmp_path: Path) -> None:
    selection = {"kind": "uncertainty", "num_passes": 2, "negative": {"probability": 1e-5}}
    run_single(
        opened(small(num_rounds=1, selection=selection)), 0, str(tmp_path), 1, Console(quiet=True)
    )
    narrow = Console(file=StringIO(), width=80)
    found = replay_run(str(tmp_path), {}, [], None, False, narrow)
    text = narrow.file.getvalue()  # type: ignore[attr-defined]
    lines = [line for line in text.splitlines() if line.startswith("--rule ")]
    words = [shlex.split(line) for line in lines]
    rules = [rule for _, rule in words]
    assert rules == list(dict.fromkeys(one.rule for one in found))
    assert any(len(line) > 80 for line in lines)
    again = replay_run(str(tmp_path), {}, rules, None, False, Console(quiet=True))
    for one, same in zip(found, again, strict=True):
        assert one.rule == same.rule
        np.testing.assert_array_equal(one.per_gloss, same.per_gloss)
    # Each round in one line of columns below its rule.
    assert all("%" in line for line in text.splitlines() if line.startswith(" " * 5 + "1 "))


def test_sentences_have_rounds_that_a_replay_does_not_know(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write_run(run_record(search_seeds=[0], num_trials=1))
    config = sentence_experiment(method={"kind": "sslr_sentences", "num_rounds": 1})
    folder.write_options(RunOptions())
    folder.trial(0).write_config(config)
    folder.trial(0).write_record(trial_record(0))
    with pytest.raises(DataError, match="on isolated signs only, and task is 'continuous'"):
        replayed(folder.location)


def test_a_search_whose_trials_all_break_a_limit_has_no_best_one(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write_run(run_record(constraints={"num_steps": 1}))
    folder.trial(0).write_record(trial_record(0))
    with pytest.raises(DataError, match=r"keeps num_steps <= 1, .*; --trial names another one"):
        replayed(folder.location)


def test_overrides_change_how_it_chooses(result: tuple[str, MeasuredRecord]) -> None:
    threshold = {
        "method__selection__kind": "threshold",
        "method__selection__confidence": 0.3,
    }
    loose, _ = replayed(result[0], **threshold)
    assert {one.rule for one in loose} == {"threshold confidence=0.3"}
    assert all(one.edge is None or one.edge >= 0.3 for one in loose)
    both, _ = replayed(result[0], "quantile share=0.3", **threshold)
    assert {one.rule for one in both} == {"threshold confidence=0.3", "quantile share=0.3"}
    flat, _ = replayed(result[0], **threshold, method__refine__temperature__temperature=50.0)
    assert [one.num_clips for one in flat] == [0, 0]
    assert [one.edge for one in flat] == [None, None]
    half = "quantile share=0.5"
    plain, _ = replayed(result[0], half)
    fitted, _ = replayed(result[0], half, method__calibration="temperature")
    assert [one.edge for one in fitted] != [one.edge for one in plain]


def test_validation_is_predicted_where_the_run_did_not_need_it(
    result: tuple[str, MeasuredRecord], tmp_path: Path
) -> None:
    config = opened(small(num_rounds=1, calibration="temperature"))
    run_single(config, 0, str(tmp_path), 1, Console(quiet=True))
    calibrating = kept_predictions(saved_runs(str(tmp_path))[1][0].run, 1)
    plain = saved_runs(result[0])[1][0].run
    without = kept_predictions(plain, 1)
    predicted = kept_predictions(plain, 1, with_validation=True)
    assert calibrating is not None
    assert calibrating.validation is not None
    assert without is not None
    assert without.validation is None
    assert predicted is not None
    # Both rounds have the same teacher.
    np.testing.assert_array_equal(predicted.validation, calibrating.validation)


@pytest.mark.parametrize("asked", ["calibration=temperature", "reject.kind=energy"])
def test_clips_that_were_learnt_are_no_validation(tmp_path: Path, asked: str) -> None:
    learnt = small(num_rounds=1)
    training = learnt.training.model_copy(update={"keep": "last", "with_validation": True})
    config = learnt.model_copy(update={"training": training})
    run_single(opened(config), 0, str(tmp_path), 1, Console(quiet=True))
    name, _, value = asked.partition("=")
    with pytest.raises(ConfigError, match=rf"by, and method\.{name.partition('.')[0]}.* does"):
        replayed(str(tmp_path), **{f"method__{name.replace('.', '__')}": value})


def test_validation_needs_the_round_before(tmp_path: Path) -> None:
    run_single(opened(small(num_rounds=1)), 0, str(tmp_path), 1, Console(quiet=True))
    run = saved_runs(str(tmp_path))[1][0].run
    run.stages.store.delete(f"{round_key(run, 0)}.pt")
    found, _ = replayed(str(tmp_path), "quantile share=0.5")
    assert len(found) == 1
    with pytest.raises(DataError, match="the model of round 0, which could make them, is not in"):
        replayed(str(tmp_path), "quantile share=0.5", method__calibration="temperature")


def test_what_was_kept_of_other_views_or_ends_answers_for_none(tmp_path: Path) -> None:
    selection = {"kind": "ends_cut_agree", "head_fraction": 0.3, "tail_fraction": 0.0}
    config = small(num_rounds=1, selection=selection, refine={"semantic": {}})
    run_single(opened(config), 0, str(tmp_path), 1, Console(quiet=True))
    own, other = (
        f"ends_cut_agree head_fraction={head} tail_fraction={tail}"
        for head, tail in ((0.3, 0.0), (0.0, 0.6))
    )
    found, text = replayed(str(tmp_path), own, other)
    assert [one.rule.split()[1] for one in found] == ["head_fraction=0.3"]
    assert "needs glosses without the ends (0 and 0.6), which the run has not kept" in text
    # Representations of the pool are there, those of validation are not.
    with pytest.raises(ConfigError, match=r"representations of validation, which .* has not kept"):
        replayed(str(tmp_path), own, method__reject={"kind": "prototype"})


BAD = [
    ({"training__num_epochs": 3}, [], None, "a replay trains nothing; it can change"),
    ({"method__num_views": 3}, [], None, "a replay trains nothing"),
    ({"method__refine__semantic": {}}, [], None, "representations, which .* has not kept"),
    ({}, ["treshold"], None, "--rule 'treshold'"),
    ({}, [" "], None, "--rule ' ': name a rule"),
    ({}, ["threshold confidenze=1"], None, "did you mean 'confidence'"),
    ({}, [], 3, "--trial 3: .* is no run of slr_ray.tune"),
]


@pytest.mark.parametrize(("overrides", "rules", "trial", "message"), BAD)
def test_what_a_replay_cannot_answer(
    overrides: dict[str, Any],
    rules: list[str],
    trial: int | None,
    message: str,
    result: tuple[str, MeasuredRecord],
) -> None:
    with pytest.raises(ConfigError, match=message):
        replayed(result[0], *rules, trial=trial, **overrides)


def test_folders_without_predictions(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no finished results"):
        replayed(str(tmp_path))
    quiet = Console(quiet=True)
    folder = tmp_path / "none"
    run_single(opened(small(keep_predictions=0, num_rounds=1)), 0, str(folder), 1, quiet)
    with pytest.raises(DataError, match="no round has kept its predictions"):
        replayed(str(folder))
    folder = tmp_path / "supervised"
    run_single(opened(small(num_rounds=0)), 0, str(folder), 1, quiet)
    with pytest.raises(DataError, match="no rounds that choose"):
        replayed(str(folder))


@pytest.mark.parametrize("share_stages", [True, False])
def test_a_search_is_replayed_by_its_best_trial(tmp_path: Path, share_stages: bool) -> None:
    folder = RunFolder(str(tmp_path / "run"))
    folder.write_run(run_record(search_seeds=[0, 1], num_trials=2))
    folder.write_options(RunOptions(share_stages=share_stages))
    for number, value in enumerate((0.9, 0.5)):
        config = small(num_rounds=1, selection={"kind": "top_confidence", "num_clips": 5 + number})
        folder.trial(number).write_task({}, "searched")
        folder.trial(number).write_config(config)
        seeds = [seed_record(seed, value, 2) for seed in (0, 1)]
        folder.trial(number).write_record(trial_record(number, value=value, seeds=seeds))
        stages = StageStore(folder.stages(None if share_stages else f"trial_{number:04d}"))
        for seed in (0, 1):
            list(rounds(prepare_seed(opened(config), seed, stages, this_place())))
    found, text = replayed(folder.location, "quantile share=1")
    assert "trial 0" in text
    assert [one.round for one in found] == [1, 1]
    assert all(one.num_clips == one.num_pool for one in found)
    own, text = replayed(folder.location, trial=1)
    assert "trial 1" in text
    assert own[0].num_clips == 6
    with pytest.raises(ConfigError, match="--trial 7: no such ended trial; there are 0, 1"):
        replayed(folder.location, trial=7)
    assert np.isfinite([one.edge for one in own if one.edge is not None]).all()


@pytest.mark.parametrize("keeps_all", [True, False])
def test_a_trial_in_folds_is_replayed_on_its_own_draws(tmp_path: Path, keeps_all: bool) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write_run(run_record(search_seeds=[0, 1], num_trials=2, num_folds=3))
    folder.write_options(RunOptions())
    draws = search_draws([0, 1], 3)
    assert [(one.seed, one.fold) for one in draws] == [(0, 0), (1, 1), (0, 2)]
    split, stages = FoldsSplitConfig(num_folds=3), StageStore(folder.stages(None))
    opener, trained = Opener(), []
    for one in draws:
        keep = {} if keeps_all or one.fold != 1 else {"keep_predictions": 0}
        config = one.of(small(num_rounds=1, **keep).model_copy(update={"split": split}))
        run = prepare_seed(opener.prepare(config), one.seed, stages, this_place())
        of_draw = recorded(run, list(rounds(run)))
        trained.append(of_draw.model_copy(update={"fold": one.fold}))
    folder.trial(0).write_config(small(num_rounds=1).model_copy(update={"split": split}))
    folder.trial(0).write_record(trial_record(0, seeds=trained))
    found, text = replayed(folder.location, "top_per_gloss num_clips=3")
    if keeps_all:
        assert "trial 0: 3 training(s), each round's whole pool\n" in text
    else:
        assert "trial 0: 2 of 3 training(s), each round's whole pool; " in text
        assert "no predictions are kept of seed 1, fold 1\n" in text
    kept = [one for one in trained if keeps_all or one.fold != 1]
    for one, record in zip(found, kept, strict=True):
        audit = record.rounds[1].audit
        assert audit is not None
        assert one.num_pool == audit.num_unlabelled
        assert one.per_gloss.tolist() == list(audit.selected_per_gloss.values())


def test_a_trial_that_trained_nothing_is_told(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path))
    folder.write_run(run_record(search_seeds=[0], num_trials=1))
    folder.write_options(RunOptions())
    folder.trial(0).write_config(small())
    folder.trial(0).write_record(trial_record(0, "failed"))
    with pytest.raises(DataError, match="trial 0: it ended before any round"):
        replayed(folder.location, trial=0)
