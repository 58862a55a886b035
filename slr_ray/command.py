"""How a command ends when its input is unusable or it is stopped: one message, no traceback."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from slr_ray.errors import ClusterError, StorageLost, UserError, full_disk
from slr_ray.locations import is_uri, masked

CALL_AGAIN = "what is finished is kept, run the same command again to go on"


class _Ending:
    """How the process ends when it is stopped: by Ctrl-C unless SIGTERM came."""

    word, status = "interrupted", 130


def end_on_sigterm() -> None:
    """Let SIGTERM end the command as Ctrl-C does, with status 143 as shells expect.

    Batch systems, containers and spot machines send it ahead of the end. Ray sets a handler of its
    own when it starts: call this again after it.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(*_: object) -> None:
    _Ending.word, _Ending.status = "terminated", 128 + signal.SIGTERM
    # A script's background processes ignore SIGINT; where it is heard, whoever heard Ctrl-C hears
    # this as well.
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL, None):
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


@contextmanager
def user_errors(when_interrupted: str = "") -> Iterator[None]:
    """Print `error: ...` to stderr and exit with the error's status; also a decorator.

    Ctrl-C prints `interrupted`, what the exception says or else `when_interrupted`, and exits with
    130 as shells expect; SIGTERM prints `terminated` and exits with 143. A full disk, storage or
    nodes that are lost interrupt as well. Any other exception than `UserError` is a bug of ours and
    keeps its traceback.
    """
    end_on_sigterm()
    try:
        with _full_disks(""):
            yield
    except EOFError as error:
        # Of an EOFError click says "Aborted." and nothing else.
        raise RuntimeError("a file ended too early") from error
    except UserError as error:
        lost = isinstance(error, ClusterError | StorageLost) and when_interrupted
        print(f"error: {masked(str(error))}" + f"; {lost}" * bool(lost), file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt as interrupt:
        hint = str(interrupt) or when_interrupted
        print(_Ending.word + (f": {hint}" if hint else ""), file=sys.stderr)
        raise SystemExit(_Ending.status) from None


@contextmanager
def going_on_with(command: str, location: str) -> Iterator[None]:
    """Where the body is interrupted or loses storage or nodes, the last line names the command.

    `location` is where the body works.
    """
    try:
        with _full_disks("" if is_uri(location) else location):
            yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"go on with {command}") from None
    except (ClusterError, StorageLost) as error:
        raise type(error)(f"{error}; what is finished is kept, go on with {command}") from None


@contextmanager
def _full_disks(place: str) -> Iterator[None]:
    """A full disk in the body as an error for users; `place` is where the system names no file."""
    try:
        yield
    except OSError as error:
        told = full_disk(error, place)
        if told is None:
            raise
        raise told from None
