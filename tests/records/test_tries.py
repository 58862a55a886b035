"""Tries of trials and arms out of the log: none is forgotten, whatever ended it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from slr_ray.records.log import Event
from slr_ray.records.tries import LOST, Tries, spent


def event(minute: float, name: str, **facts: Any) -> Event:
    at = datetime.datetime(2026, 11, 26, 10, tzinfo=datetime.UTC) + datetime.timedelta(
        minutes=minute
    )
    return Event(at=at.isoformat(), event=name, who=facts.pop("who", "driver:1"), **facts)


ONE_GPU = {"cpus": 4.0, "gpus": 1.0}
EVENTS = [
    event(0, "run_started"),
    event(0, "trial_started", trial=0, **ONE_GPU),
    event(10, "round_ended", trial=0, round=0, who="a:7"),
    # Its node was lost.
    event(30, "trial_restarted", trial=0, who="a:7", reason="its process died"),
    event(40, "trial_started", trial=0, **ONE_GPU),
    event(60, "run_goes_on"),
    # The driver is killed, and somebody goes on two hours later.
    event(180, "run_resumed"),
    event(180, "trial_started", trial=0, **ONE_GPU),
    event(200, "trial_complete", trial=0, who="b:8", value=0.5),
    event(200, "arm_started", arm="fsl", seed=0, cpus=4.0, gpus=0.5),
    event(206, "arm_ended", arm="fsl", seed=0, who="b:8"),
]


def test_every_try_has_its_time_and_end() -> None:
    found = Tries(EVENTS).all()
    assert [(one.what, one.outcome, one.seconds / 60) for one in found] == [
        ("trial 0", LOST, 30.0),
        ("trial 0", LOST, 20.0),
        ("trial 0", "complete", 20.0),
        ("fsl 0", "arm", 6.0),
    ]
    assert [one.who for one in found] == ["a:7", None, "b:8", "b:8"]
    assert found[2].value == 0.5


def test_hours_are_those_of_all_tries() -> None:
    found = Tries(EVENTS).all()
    whole, lost = spent(found), spent(one for one in found if one.outcome == LOST)
    assert whole.gpu_h == pytest.approx((30 + 20 + 20) / 60 + 0.5 * 6 / 60)
    assert whole.cpu_h == pytest.approx(4 * (30 + 20 + 20 + 6) / 60)
    assert (lost.num_tries, lost.gpu_h) == (2, pytest.approx(50 / 60))


def test_what_runs_counts_until_now() -> None:
    tries = Tries(EVENTS[:3])
    assert tries.ended == []
    now = EVENTS[0].time + datetime.timedelta(minutes=45)
    assert spent(tries.at(now)).gpu_h == pytest.approx(0.75)
    # A log that was read ends with its last event.
    assert spent(tries.all()).gpu_h == pytest.approx(10 / 60)


def test_time_between_a_kill_and_the_next_start_is_nobodys() -> None:
    assert Tries(EVENTS).wall_s == pytest.approx((60 + 26) * 60)


def test_a_log_of_an_earlier_version_tells_of_no_hours() -> None:
    bare = [one.model_copy(update={"cpus": None, "gpus": None}) for one in EVENTS]
    assert spent(Tries(bare).all()).cpu_h == 0.0
    assert Tries([]).all() == []
