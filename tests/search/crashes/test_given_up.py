"""A trial that Ray Tune gives up, though it was told to begin lost ones again without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ray.exceptions import RayActorError
from ray_here import TunerHere
from searches_here import Result, only_run, result, tune


class GivingUp(TunerHere):
    """Loses the process of a trial that takes another's place, as Tune 2.60 does."""

    times_left = 0

    def _run(self, trial: Any) -> None:
        if trial.config["number"] != 1 or GivingUp.times_left == 0:
            super()._run(trial)
            return
        GivingUp.times_left -= 1
        with mock.patch("slr_ray.search.searcher._error_of", return_value=RayActorError()):
            self._scheduler.on_trial_error(None, trial)
        self._searcher.on_trial_complete(trial.trial_id, error=True)


@pytest.fixture(autouse=True)
def _giving_up(monkeypatch: pytest.MonkeyPatch, _ray_here: None) -> None:
    monkeypatch.setattr("slr_ray.search.tuning.Tuner", GivingUp)


def test_it_begins_again_and_nothing_is_different(
    whole: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    GivingUp.times_left = 3
    storage = str(tmp_path / "runs")
    assert tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage) == 0
    assert result(only_run(storage)) == whole
    assert capsys.readouterr().out.count("trial 1 is started again: its process died") == 3


def test_it_has_failed_after_too_many_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GivingUp.times_left = 3
    arguments = ("--space", "tiny.yaml", "--storage", str(tmp_path / "runs"), "--max-lost", "2")
    assert tune(monkeypatch, *arguments) == 1
    trials, _ = result(only_run(str(tmp_path / "runs")))
    assert [number for number, (status, _, _) in trials.items() if status == "failed"] == [1]
    assert GivingUp.times_left == 0
