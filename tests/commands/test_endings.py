"""How a command ends when it is stopped: one line, and the status that shells expect."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from slr_ray.command import user_errors

_LOST = """
import errno
from slr_ray.command import user_errors
from slr_ray.errors import StorageLost
with user_errors("run it again"):
    raise {error}
"""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("OSError(errno.ENOSPC, 'no space', '/nowhere/x')", "no room left on the disk of / ("),
        ("StorageLost('s3://b has not answered')", "s3://b has not answered; run it again"),
    ],
)
def test_a_full_disk_and_lost_storage_end_a_command_in_one_line(error: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOST.format(error=error)], capture_output=True, text=True
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {told}")
    assert line.endswith("; run it again")


def test_an_end_of_file_that_nobody_expected_keeps_its_traceback() -> None:
    """Where click has one it says "Aborted." and nothing else."""
    app = typer.Typer()

    @app.command()
    @user_errors("run it again")
    def read() -> None:
        raise EOFError("[Errno 541478725] End of file: 'clip.mp4'")

    ended = CliRunner().invoke(app)
    assert isinstance(ended.exception, RuntimeError)
    assert "clip.mp4" in str(ended.exception.__cause__)


_CODE = """
import signal, sys, time
from slr_ray.command import user_errors
if sys.argv[1] == "background":
    # As a script starts its background processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
with user_errors("run it again"):
    print("running", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("where", ["foreground", "background"])
@pytest.mark.parametrize(
    ("sent", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_ends_a_command_in_one_line(
    where: str, sent: signal.Signals, status: int, word: str
) -> None:
    if where == "background" and sent == signal.SIGINT:
        pytest.skip("a background process ignores Ctrl-C on purpose")
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(sent)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (status, f"{word}: run it again\n")
