"""Budgets of a search: hours of every try, money, time; and what makes it pointless to go on."""

from __future__ import annotations

import datetime
import time
from typing import Any

import pytest

from slr_ray.errors import ClusterError
from slr_ray.records.log import Event
from slr_ray.records.tries import Tries
from slr_ray.search.limits import SearchEnd, TuneLimits
from slr_ray.search.listeners import RunListener
from slr_ray.workers.run_options import RunOptions


def hours_ago(hours: float, event: str, **facts: Any) -> Event:
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    return Event(at=at.isoformat(), event=event, who="driver:1", **facts)


def looked_at(
    limits: TuneLimits, tries: Tries, monkeypatch: pytest.MonkeyPatch, after_s: float = 2.0
) -> SearchEnd:
    end = SearchEnd(limits, tries, RunListener(), None)
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + after_s)
    assert end.stop_all() is end.is_over
    return end


def lost_then_running() -> list[Event]:
    return [
        hours_ago(9, "run_started"),
        hours_ago(9, "trial_started", trial=0, cpus=8.0, gpus=2.0),
        # Two hours on two GPUs, lost; the driver was killed, too.
        hours_ago(7, "run_goes_on"),
        hours_ago(1, "run_resumed"),
        hours_ago(1, "trial_started", trial=0, cpus=8.0, gpus=2.0),
    ]


def test_a_lost_try_is_paid_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = Tries(lost_then_running())
    assert looked_at(TuneLimits(9, max_gpu_hours=6.1), tries, monkeypatch).reason is None
    end = looked_at(TuneLimits(9, max_gpu_hours=5.9), tries, monkeypatch)
    assert end.reason == "the budget of 5.9 GPU-hours"
    end = looked_at(TuneLimits(9, max_cpu_hours=23.9), tries, monkeypatch)
    assert end.reason == "the budget of 23.9 processor-hours"


def test_time_is_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = TuneLimits(9, time_budget_s=3600.0)
    assert looked_at(limits, Tries(), monkeypatch, 3500.0).reason is None
    end = looked_at(limits, Tries(), monkeypatch, 3601.0)
    assert end.reason == "the time budget of 1 h 00 min"
    assert end.error is None


def test_a_cluster_that_can_not_work_is_no_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watch:
        def problem(self) -> ClusterError:
            return ClusterError("no such node")

    end = SearchEnd(TuneLimits(9), Tries(), RunListener(), None)
    monkeypatch.setattr(end, "_watch", Watch())
    assert not end.stop_all()
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 2.0)
    assert end.stop_all()
    assert (str(end.error), end.reason) == ("no such node", None)


@pytest.mark.parametrize(
    ("given", "gpu_hours", "cpu_hours"),
    [
        ({}, None, None),
        ({"trial_gpus": 0.5, "max_gpu_hours": 3.0}, 3.0, None),
        ({"trial_gpus": 0.5, "max_cost": 30.0, "price_per_hour": 1.5}, 20.0, None),
        ({"max_cost": 30.0, "price_per_hour": 0.05}, None, 600.0),
        (
            {"trial_gpus": 1.0, "max_cost": 3.0, "price_per_hour": 1.0, "max_gpu_hours": 2.0},
            2,
            None,
        ),
    ],
)
def test_money_buys_hours(
    given: dict[str, float], gpu_hours: float | None, cpu_hours: float | None
) -> None:
    limits = TuneLimits.of(RunOptions(**given), 5)
    assert limits.num_trials == 5
    assert limits.max_gpu_hours == pytest.approx(gpu_hours)
    assert limits.max_cpu_hours == pytest.approx(cpu_hours)
