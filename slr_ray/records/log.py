"""What happened in a run, when and where: one JSON object a line, to be read afterwards."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from slr_ray.config import Record
from slr_ray.errors import StorageError
from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Growing, once

_KEEP_EVERY_S = 10.0
_SILENT_AT_MOST_S = 60.0
"""A log that is silent for longer than this is one of a driver that was killed."""


class Event(Record):
    """One line of the log."""

    at: str
    """ISO 8601 with time zone."""
    event: str
    """run_started, run_resumed, run_goes_on, trial_started, round_ended, trial_restarted,
    trial_cut_off, trial_complete, trial_pruned, trial_failed, search_ended, arm_started,
    arm_restarted, arm_ended, arm_failed, node_lost, nodes_awaited, run_ended."""
    who: str
    """The process, as HOST:PID: of the driver, or where the trial or arm ran."""
    trial: int | None = None
    arm: str | None = None
    seed: int | None = None
    round: int | None = None
    value: float | None = None
    reused: bool | None = None
    """Of a round: whether every seed's stage was found instead of trained."""
    cpus: float | None = None
    gpus: float | None = None
    """What a trial or an arm that starts reserves, all of its workers together."""
    reason: str | None = None

    @property
    def what(self) -> str:
        """The trial or the arm that the event is about; else the run."""
        if self.trial is not None:
            return f"trial {self.trial}"
        return f"{self.arm} {self.seed}" if self.arm is not None else "the run"

    @property
    def time(self) -> datetime.datetime:
        return datetime.datetime.fromisoformat(self.at)


def this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


class Log:
    """Writes a run's log; only the driver does.

    On a disk each event is appended at once. Object stores can't append: there new events are sent
    at most every ten seconds, and when the run ends.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._store = folder.store
        self._copy = Growing(self._store, folder.log)
        self._content = bytearray()
        self._kept = 0.0
        self._written = time.monotonic()
        if not self._store.is_local:
            self._content += self._copy.read()
            return
        content = self._store.find_bytes(folder.log)
        if content and not content.endswith(b"\n"):
            # A kill left half a line: the next event must not be written behind it.
            with self._store.local_path(folder.log).open("ab") as stream:
                stream.write(b"\n")

    def write(self, event: str, *, who: str | None = None, **facts: Any) -> Event:
        """Add an event that happened just now."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        found = Event(at=at, event=event, who=who or this_process(), **facts)
        line = (json.dumps(found.model_dump(exclude_none=True)) + "\n").encode()
        self._written = time.monotonic()
        if self._store.is_local:
            path = self._store.local_path(self._folder.log)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as stream:
                stream.write(line)
            return found
        self._content += line
        if time.monotonic() - self._kept > _KEEP_EVERY_S:
            self.keep()
        return found

    def go_on(self) -> None:
        """Call it every second or so: should the driver be killed, the log tells about when."""
        if time.monotonic() - self._written > _SILENT_AT_MOST_S:
            self.write("run_goes_on")

    def keep(self) -> None:
        """Bring the file behind a URI up to date."""
        if self._content:
            self._copy.keep(bytes(self._content))
            self._kept = time.monotonic()

    def close(self) -> None:
        """The same at an end of any kind; where the storage is lost, the last events are, too."""
        with contextlib.suppress(OSError, StorageError), once():
            self.keep()


def read_log(folder: RunFolder) -> list[Event]:
    """The events of a run in their order; none where the run has no log.

    Half a line that a kill left is left out.
    """
    try:
        content = folder.read_log()
    except FileNotFoundError:
        return []
    return list(_events(content.decode(errors="replace")))


def _events(text: str) -> Iterator[Event]:
    for line in text.splitlines():
        try:
            yield Event.model_validate_json(line)
        except ValueError:
            continue
