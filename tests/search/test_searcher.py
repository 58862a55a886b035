"""What Ray Tune is told to do with a trial that has reported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from slr_ray.records.tries import Tries
from slr_ray.search.endings import Restarts
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.limits import SearchEnd, TuneLimits
from slr_ray.search.listeners import RunListener
from slr_ray.search.searcher import StudyScheduler, Trouble
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import parse


@pytest.mark.parametrize("ends_at_last", [True, False])
def test_a_trial_is_over_with_its_last_report_unless_its_workers_tidy_up(
    ends_at_last: bool, tmp_path: Path
) -> None:
    space = parse({"a": {"uniform": [0.0, 1.0]}})
    study = SearchStudy(tmp_path / "journal", space, SearchConfig(), name="run", num_rounds=2)
    number = study.ask().number
    end = SearchEnd(TuneLimits(1), Tries(), RunListener(), None)
    scheduler = StudyScheduler(
        "accuracy", study, Restarts(1, 1), end, Trouble(), ends_at_last=ends_at_last
    )
    trial = SimpleNamespace(config={"number": number})
    told = [
        scheduler.on_trial_result(
            None, trial, {"round": round_, "accuracy": 0.5, "is_last": round_ == 2}
        )
        for round_ in range(3)
    ]
    goes_on = TrialScheduler.CONTINUE
    assert told == [goes_on, goes_on, TrialScheduler.STOP if ends_at_last else goes_on]
    assert not study.was_pruned(number)
    assert study.study.get_trials()[number].intermediate_values == {1: 0.5, 2: 0.5}
