"""A search that crashes at any write, or finds no room, goes on as if nothing had been.

Ray's part is played in this process, and a crash is an exception that nothing survives: what was
not written is lost. tests/search/test_search.py kills real processes.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import SPACE
from ray_here import ray_here

from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Store
from slr_ray.tune import main

CHANGES = {
    "data": {"kind": "embedded", "num_glosses": 2, "num_signers": 6, "seed": 1},
    "model": {"width": 8, "num_heads": 1, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 1, "batch_size": 4, "max_frames": 4},
    "method": {
        "kind": "sslr",
        "num_rounds": {"int": [1, 2]},
        "selection": {"kind": "top_per_gloss", "num_clips": {"int": [1, 9]}},
    },
    "search": {"num_trials": 4, "search_seeds": [0], "final_seeds": [0]},
}
Result = tuple[dict[int, tuple[str, float | None, dict[str, Any]]], dict[str, float]]


class Crash(BaseException):
    """As a SIGKILL: nobody handles it."""


@pytest.fixture(autouse=True)
def _ray_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({**SPACE, **CHANGES}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "fsync", lambda _: None)
    with ray_here():
        yield


def tune(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tune", *arguments, "--max-concurrent", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def only_run(storage: str) -> RunFolder:
    (name,) = {one.split("/")[0] for one in Store(storage).names() if one.endswith("/run.json")}
    return RunFolder(Store(storage).join(name).location)


def result(run: RunFolder) -> Result:
    """Every trial's end and what the final comparison measured; each trial was told once."""
    trials = {}
    for folder in run.trials():
        record = folder.trial()
        trials[record.number] = (record.status, record.value, record.params)
    told = [one for one in run.read_journal().decode().splitlines() if '"op_code":6' in one]
    ends = [one for one in told if '"state":0' not in one]
    assert len(ends) == len(trials)
    arms = {one.store.location.rpartition("/final/")[2]: one.arm().test.loss for one in run.arms()}
    return trials, arms


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Result:
    storage = str(tmp_path / "undisturbed")
    assert tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage) == 0
    return result(only_run(storage))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, BaseException], None]:
    """Allows so many writes of files from now on; those after them end with the error."""
    left: list[Any] = [10**6, None]
    write = Store.write_bytes

    def limited(store: Store, name: str, content: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise left[1]
        write(store, name, content)

    def allow(num_writes: int, error: BaseException) -> None:
        left[:] = [num_writes, error]

    monkeypatch.setattr(Store, "write_bytes", limited)
    monkeypatch.setattr("slr_ray.storage.lease._SETTLES_S", 0.0)
    return allow


@pytest.mark.parametrize("place", ["disk", "uri"])
def test_a_crash_at_any_write_changes_nothing(
    place: str,
    whole: Result,
    failing: Callable[[int, BaseException], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    storage = str(tmp_path / "runs") if place == "disk" else f"mock:///bucket{tmp_path}/runs"
    arguments = ("--space", "tiny.yaml", "--storage", storage)
    crashes = 0
    for num_writes in (7, 11, 10, 13, 9, 17, 12, 14, 11, 10**6):
        failing(num_writes, Crash())
        try:
            status = tune(monkeypatch, *arguments)
        except Crash:
            crashes += 1
            arguments = ("--resume", only_run(storage).location)
            if crashes % 2:
                # Another machine takes over.
                shutil.rmtree(tmp_path / "cache" / "journals", ignore_errors=True)
            continue
        assert status == 0
        break
    assert crashes >= 4
    assert result(only_run(storage)) == whole


def test_a_full_disk_ends_a_search_in_one_line_and_loses_nothing(
    whole: Result,
    failing: Callable[[int, BaseException], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    storage = str(tmp_path / "runs")
    full = OSError(errno.ENOSPC, "No space left on device")
    failing(12, full)
    assert tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage) == 1
    run = only_run(storage)
    (line,) = capsys.readouterr().err.splitlines()
    assert "no room left on the disk of" in line
    assert "bytes free): make room" in line
    assert f"--resume {run.location}" in line
    assert all(one.trial().status == "complete" for one in run.trials())
    failing(10**6, full)
    assert tune(monkeypatch, "--resume", run.location) == 0
    assert result(run) == whole
