"""What happens to a running search."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos.emulators import Line

_OUTAGE_S = (1.0, 25.0)


def driver(process: subprocess.Popen[bytes], line: Line, draws: random.Random) -> None:
    """The driver and all that it started, as when a machine is taken away."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def trial(process: subprocess.Popen[bytes], line: Line, draws: random.Random) -> None:
    """The process that trains a trial or an arm."""
    for one in _descendants(process.pid):
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{one}/cmdline").read_bytes()
            if name.startswith((b"ray::ImplicitFunc", b"ray::_run")):
                os.kill(one, signal.SIGKILL)
                return


def refusing(process: subprocess.Popen[bytes], line: Line, draws: random.Random) -> None:
    """The storage refuses every connection for a while."""
    line.cut()
    time.sleep(draws.uniform(*_OUTAGE_S))
    line.mend()


def hanging(process: subprocess.Popen[bytes], line: Line, draws: random.Random) -> None:
    """The storage gives no answer for a while."""
    line.hang()
    time.sleep(draws.uniform(*_OUTAGE_S))
    line.mend()


FAULTS: dict[str, Callable[[subprocess.Popen[bytes], Line, random.Random], None]] = {
    one.__name__: one for one in (driver, trial, refusing, hanging)
}


def _descendants(pid: int) -> list[int]:
    """The processes below another one, on Linux."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold spaces.
            facts = stat.read_text().rpartition(") ")[2].split()
            parents[int(stat.parent.name)] = int(facts[1])
    found, fresh = [], [pid]
    while fresh:
        fresh = [one for one, parent in parents.items() if parent in fresh]
        found += fresh
    return found
