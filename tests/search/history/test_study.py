"""The search's memory: reopened after a kill at any moment, every trial is told once."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState

from slr_ray.search.history.study import SearchStudy
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.schedulers.successive_halving import SuccessiveHalving
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse

SPACE = parse({"method": {"num_rounds": {"int": [1, 50]}, "true_share": {"uniform": [0.1, 0.9]}}})


def reopen(tmp_path: Path, *, early_stopping: bool = False) -> SearchStudy:
    scheduler = SuccessiveHalving() if early_stopping else NoStopping()
    search = SearchConfig(seed=3, scheduler=scheduler)
    return SearchStudy(tmp_path / "journal", SPACE, search, name="run")


def test_given_settings_come_first(tmp_path: Path) -> None:
    study = reopen(tmp_path)
    outside = study.enqueue({"method": {"num_rounds": 5, "true_share": 0.5}})
    assert outside == []
    first, second = study.ask(), study.ask()
    assert first.source == "start_from"
    assert first.params == {"method.num_rounds": 5, "method.true_share": 0.5}
    assert second.source == "searched"


def test_a_reopened_study_hands_out_what_was_unfinished(tmp_path: Path) -> None:
    study = reopen(tmp_path)
    told, lost = study.ask(), study.ask()
    study.tell(told.number, "complete", 0.5)
    again = reopen(tmp_path)
    assert again.unfinished() == [lost.number]
    assert again.num_finished() == 1
    taken = again.ask()
    assert (taken.number, taken.params) == (lost.number, lost.params)
    fresh = again.ask()
    assert fresh.number == 2
    assert fresh.params not in (told.params, lost.params)


def test_telling_twice_changes_nothing(tmp_path: Path) -> None:
    study = reopen(tmp_path)
    trial = study.ask()
    study.tell(trial.number, "complete", 0.5)
    study.tell(trial.number, "failed", None)
    reopen(tmp_path).tell(trial.number, "complete", 0.9)
    frozen = study.study.get_trials()[trial.number]
    assert (frozen.state, frozen.value) == (TrialState.COMPLETE, 0.5)


@pytest.mark.parametrize(
    ("status", "state"), [("pruned", TrialState.PRUNED), ("failed", TrialState.FAIL)]
)
def test_states_are_told_as_what_they_are(tmp_path: Path, status: str, state: TrialState) -> None:
    study = reopen(tmp_path)
    trial = study.ask()
    study.tell(trial.number, status, None)
    assert study.study.get_trials()[trial.number].state == state


def test_early_stopping_survives_a_restart(tmp_path: Path) -> None:
    study = reopen(tmp_path, early_stopping=True)
    for value in (0.9, 0.8, 0.7):
        trial = study.ask()
        study.should_prune(trial.number, 1, value)
        study.tell(trial.number, "complete", value)
    again = reopen(tmp_path, early_stopping=True)
    good, bad = again.ask(), again.ask()
    assert not again.should_prune(good.number, 1, 0.95)
    assert again.should_prune(bad.number, 1, 0.1)
    assert again.was_pruned(bad.number)
    assert not again.was_pruned(good.number)


def test_without_early_stopping_nothing_is_pruned(tmp_path: Path) -> None:
    study = reopen(tmp_path)
    for value in (0.9, 0.8, 0.7, 0.1):
        assert not study.should_prune(study.ask().number, 1, value)
