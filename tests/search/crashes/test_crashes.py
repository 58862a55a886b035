"""A search that crashes at any write, or finds no room, goes on as if nothing had been.

tests/search/test_search.py kills real processes.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from searches_here import Crash, Failing, Result, only_run, result, tune

from slr_ray.errors import StorageLost, StorageRefused


@pytest.mark.parametrize("place", ["disk", "uri"])
def test_a_crash_at_any_write_changes_nothing(
    place: str,
    whole: Result,
    failing: Failing,
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


FULL = OSError(errno.ENOSPC, "No space left on device")
GONE = StorageLost("s3://bucket has not answered for 10 min 00 s: refused")
DENIED = StorageRefused("AWS Error ACCESS_DENIED during PutObject operation")
TOLD = {FULL: "bytes free): make room", GONE: "has not answered for 10 min", DENIED: "DENIED"}


@pytest.mark.parametrize(
    ("num_writes", "num_failing", "error"),
    [(8, 1, FULL), (9, 1, GONE), (12, 10**6, FULL), (13, 10**6, GONE), (14, 10**6, DENIED)],
)
def test_without_storage_a_search_ends_in_one_line_and_loses_nothing(
    num_writes: int,
    num_failing: int,
    error: Exception,
    whole: Result,
    failing: Failing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    storage = str(tmp_path / "runs")
    failing(num_writes, error, num_failing)
    assert tune(monkeypatch, "--space", "tiny.yaml", "--storage", storage) == 1
    run = only_run(storage)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert TOLD[error] in line
    assert f"go on with python -m slr_ray.tune --resume {run.location}" in line
    # It is no trial's fault.
    assert "failed" not in {one.trial().status for one in run.trials()}
    failing(10**6, error)
    assert tune(monkeypatch, "--resume", run.location) == 0
    assert result(run) == whole
