"""Commands as a user starts them: to their end, or in the background to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]


def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(_CHECKOUT),
        "SLR_RAY_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "200",
    }


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"slr_ray.{name}", *arguments]


def finished(tmp_path: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command run to its end."""
    return subprocess.run(
        command(name, *arguments),
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=280,
    )


def start(tmp_path: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A driver in a process group of its own, its output in `log`."""
    with (tmp_path / "log").open("w") as log:
        return subprocess.Popen(
            command(name, *arguments),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_for(tmp_path: Path, driver: subprocess.Popen[bytes], pattern: str) -> None:
    deadline = time.monotonic() + 240
    while not list(tmp_path.glob(pattern)):
        assert driver.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.05)


def kill(driver: subprocess.Popen[bytes]) -> None:
    """SIGKILL, as a reclaimed machine ends a process."""
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
