"""A budget: no further cell begins once it is used, and what is left is told as holes."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sweep_factory import new_sweep

from slr_ray.records.log import Event
from slr_ray.records.tries import Tries
from slr_ray.sweeps import budget, run
from slr_ray.sweeps.budget import Budget
from slr_ray.sweeps.results import load_sweep
from slr_ray.sweeps.summary import print_plan


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    return now


def hours_ago(hours: float, event: str, **facts: Any) -> Event:
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    return Event(at=at.isoformat(), event=event, who="driver:1", **facts)


def told(hours: float, seed: int, event: str = "arm_started") -> Event:
    """Of a cell on half a GPU."""
    return hours_ago(hours, event, arm="fsl", seed=seed, cpus=4.0, gpus=0.5)


@pytest.mark.parametrize(
    ("of_call", "gpu_hours"),
    [
        ([], 0.0),
        ([(4, 0), (4, 1)], 4.0),
        ([(4, 0), (4, 1), (3, 0, "arm_ended")], 2.5),
        ([(4, 0), (4, 1), (3, 0, "arm_ended"), (1, 1, "arm_failed")], 2.0),
        # The lost try is paid for as well.
        ([(4, 0), (1, 0, "arm_restarted"), (1, 0)], 2.0),
        ([(4, 0), (1, 0, "arm_restarted")], 1.5),
    ],
    ids=["none", "running", "one ended", "all ended", "lost", "lost for good"],
)
def test_gpu_hours_are_those_of_all_tries_of_the_call(
    of_call: Sequence[tuple[Any, ...]], gpu_hours: float
) -> None:
    # An earlier call was killed while a cell ran.
    before = [hours_ago(99, "run_started"), told(99, 7), hours_ago(90, "run_goes_on")]
    tries = Tries([*before, hours_ago(4, "run_resumed")])
    enough, used_up = Budget(None, gpu_hours + 0.1, tries), Budget(None, gpu_hours - 0.1, tries)
    assert enough.is_limited
    for event in of_call:
        tries.hear(told(*event))
    assert enough.is_left()
    assert not used_up.is_left()
    words = used_up.used_up()
    assert words is not None
    assert f"budget of {gpu_hours - 0.1:g} GPU-hours" in words
    assert "--gpu-hours" in words


def test_wall_time_counts_from_when_cells_can_begin(clock: list[float]) -> None:
    found = Budget(10.0, None, Tries())
    clock[0] += 99.0
    assert found.is_left()
    found.begin()
    clock[0] += 9.9
    assert found.is_left()
    clock[0] += 0.1
    assert not found.is_left()
    assert "the time budget of 10 s was used up" in str(found.used_up())
    assert not Budget(None, None, Tries()).is_limited


def test_holes_name_the_budget_of_each_start_and_what_lifts_it(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    could_begin = []

    @contextmanager
    def slowly_connected(*_: Any) -> Iterator[None]:
        clock[0] += 60.0
        yield

    def cells(*_: Any, may_start: Any, **__: Any) -> Mapping[str, str]:
        could_begin.append(may_start())
        clock[0] += 5.0
        return {}

    monkeypatch.setattr(run, "run_cells", cells)
    monkeypatch.setattr(run, "connected", slowly_connected)
    monkeypatch.setattr(run, "prints_kept", lambda *_: nullcontext())
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 1.0})
    sweep = new_sweep(tmp_path, seeds=1)
    first = replace(sweep, options=sweep.options.model_copy(update={"time_budget_s": 5.0}))
    for changes, span in (({}, "5.0 s"), ({}, "5.0 s"), ({"time_budget_s": 4.0}, "4.0 s")):
        start = run.resumed(sweep.folder.location, changes, ["x"]) if could_begin else first
        out = io.StringIO()
        print_plan(start, Console(file=out, width=200), with_estimate=False)
        assert f"the time budget of {span}" in out.getvalue()
        assert ("begins anew with this start" in out.getvalue()) is start.is_resumed
        run.execute(start, None, Console(file=io.StringIO()))
        holes = load_sweep(sweep.folder).holes
        assert len(holes) == len(sweep.plan.entries)
        for told in holes.values():
            assert told.startswith(f"not begun, as the time budget of {span} was used up")
            assert "--resume RUN" in told
            assert "--time-budget 8h" in told
    # Connecting took a minute, and is no part of it.
    assert could_begin == [True, True, True]
