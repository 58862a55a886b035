"""A sweep that takes several starts: what all of them took, and what failed in an earlier one."""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sweep_factory import new_sweep, run_here

from slr_ray.records.sweeps import SweepFolder, SweepRecord
from slr_ray.sweeps import run
from slr_ray.sweeps.results import load_sweep
from slr_ray.workers.place import this_place

ONE_PLACE = {"pool.fraction": 0.5}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Cells that a start begins, and why each fails; without Ray."""
    failed: dict[str, str] = {}

    def begun(cells: Any, *_: Any, **__: Any) -> Mapping[str, str]:
        there = {one.name for one in cells}
        return {name: why for name, why in failed.items() if name in there}

    monkeypatch.setattr(run, "run_cells", begun)
    monkeypatch.setattr(run, "connected", lambda *_: nullcontext())
    monkeypatch.setattr(run, "prints_kept", lambda *_: nullcontext())
    return failed


def again(folder: SweepFolder) -> SweepRecord:
    found = run.resumed(folder.location, {}, ["python", "-m", "slr_ray.sweep", "--resume"])
    return run.execute(found, None, Console(file=io.StringIO()))


def test_wall_time_is_that_of_all_starts(tmp_path: Path) -> None:
    sweep = new_sweep(tmp_path, overrides=ONE_PLACE, seeds=1)
    run_here(sweep)
    killed = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    events = [("run_started", 0), ("arm_started", 30), ("run_goes_on", 3600)]
    lines = [
        {
            "at": (killed + datetime.timedelta(seconds=after)).isoformat(),
            "event": event,
            "who": "driver:1",
        }
        for event, after in events
    ]
    log = tmp_path / "tiny/log.jsonl"
    log.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    record = again(sweep.folder)
    assert record.finished is not None
    assert 3600 <= record.wall_s < 3660
    # The day in between is none of it, nor does another look add one.
    assert again(sweep.folder).wall_s < 3720


def test_a_failure_is_not_forgotten_where_the_next_start_begins_nothing(
    tmp_path: Path, failing: dict[str, str]
) -> None:
    sweep = new_sweep(tmp_path, overrides=ONE_PLACE, seeds=1)
    cells = {one.label: one for one in sweep.plan.cells.values()}
    broken = next(one for label, one in cells.items() if "/fsl/" in label)
    other = next(one for label, one in cells.items() if "/sslr/" in label)
    failing |= {broken.name: "it broke", other.name: "it broke, too"}
    first = run.execute(sweep, None, Console(file=io.StringIO()))
    assert first.failed == {broken.name: "it broke", other.name: "it broke, too"}
    failing.clear()
    second = again(sweep.folder)
    assert second.failed == first.failed
    assert load_sweep(sweep.folder).holes[broken.name] == "it broke"
    # Another reason is the last one; a result leaves none.
    failing[broken.name] = "it broke again"
    other.run(this_place(), lambda _: None)
    assert again(sweep.folder).failed == {broken.name: "it broke again"}
