"""A budget: no further cell begins once it is used, and what is left is told as holes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from slr_ray.records.log import Event
from slr_ray.records.tries import Tries
from slr_ray.sweeps import budget
from slr_ray.sweeps.budget import Budget


def hours_ago(hours: float, event: str, **facts: Any) -> Event:
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    return Event(at=at.isoformat(), event=event, who="driver:1", **facts)


def starts(hours: float, seed: int) -> Event:
    return hours_ago(hours, "arm_started", arm="fsl", seed=seed, cpus=4.0, gpus=0.5)


def ends(hours: float, seed: int, event: str = "arm_ended") -> Event:
    return hours_ago(hours, event, arm="fsl", seed=seed)


@pytest.mark.parametrize(
    ("of_call", "gpu_hours"),
    [
        ([], 0.0),
        ([starts(4, 0), starts(4, 1)], 4.0),
        ([starts(4, 0), starts(4, 1), ends(3, 0)], 2.5),
        ([starts(4, 0), starts(4, 1), ends(3, 0), ends(1, 1, "arm_failed")], 2.0),
        # The lost try is paid for as well.
        ([starts(4, 0), ends(1, 0, "arm_restarted"), starts(1, 0)], 2.0),
        ([starts(4, 0), ends(1, 0, "arm_restarted")], 1.5),
    ],
    ids=["none", "running", "one ended", "all ended", "lost", "lost for good"],
)
def test_gpu_hours_are_those_of_all_tries_of_the_call(
    of_call: Sequence[Event], gpu_hours: float
) -> None:
    # An earlier call was killed while a cell ran.
    before = [hours_ago(99, "run_started"), starts(99, 7), hours_ago(90, "run_goes_on")]
    tries = Tries([*before, hours_ago(4, "run_resumed")])
    enough, used_up = Budget(None, gpu_hours + 0.1, tries), Budget(None, gpu_hours - 0.1, tries)
    assert enough.is_limited
    for event in of_call:
        tries.hear(event)
    assert enough.is_left()
    assert not used_up.is_left()


def test_wall_time_counts_from_the_start_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    found = Budget(10.0, None, Tries())
    now[0] += 9.9
    assert found.is_left()
    now[0] += 0.1
    assert not found.is_left()
    assert not Budget(None, None, Tries()).is_limited
