"""A search that crashes at any write, or finds no room, goes on as if nothing had been.

tests/search/test_search.py kills real processes.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from searches_here import Crash, Result, only_run, result, tune


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
