"""A lease keeps a second process off a URI: a file with its holder, renewed while that one works.

pyarrow can't write on condition that a file is absent, on any store. So who wants a place writes
its name, waits, and has the place if its name still stands there: of two that come at once the
later writer wins. Nobody's clock is trusted: a holder is alive where its file changes while one
looks at it. Limits: a write that takes longer than the wait may go unseen until the next renewal,
and a holder that was asleep or cut off for longer than a lease learns at its next renewal that
another one has taken over; it stops then.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slr_ray.durations import duration
from slr_ray.errors import StorageError
from slr_ray.storage.calls import once

if TYPE_CHECKING:
    from slr_ray.storage.store import Store

LEASE = "lease.json"
_RENEWED_S, _EXPIRES_S, _SETTLES_S, _LOOKED_AT_S = 10.0, 45.0, 2.0, 3.0

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def leased(store: Store) -> Iterator[None]:
    """The place behind a URI for this process alone; `StorageError` names who has it."""
    lease = _Lease(store)
    lease.acquire()
    threading.Thread(target=lease.keep, daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if lease.lost_to is not None:
            raise StorageError(
                f"{lease.lost_to} has taken {store.location} over, as this process was cut off "
                f"from it for longer than {duration(_EXPIRES_S)}"
            ) from None
        raise
    finally:
        lease.ended.set()
        if lease.lost_to is None:
            with contextlib.suppress(OSError, StorageError), once():
                store.delete(LEASE)


class _Lease:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._own = {
            "id": uuid.uuid4().hex,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "machine": _machine(),
            "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        self.ended = threading.Event()
        self.lost_to: str | None = None

    def acquire(self) -> None:
        found = self._read()
        if found is not None and not self._died_here(found):
            self._watch(found)
        self._write(0)
        time.sleep(_SETTLES_S)
        found = self._read()
        if found is None or found["id"] != self._own["id"]:
            raise self._refused(found or {})

    def keep(self) -> None:
        """Renew the lease until it ends; interrupt the main thread where another one has it."""
        renewal = 0
        while not self.ended.wait(_RENEWED_S):
            renewal += 1
            # Of an outage the work itself tells; the lease is renewed when it is over.
            with contextlib.suppress(OSError, StorageError), once():
                found = self._read()
                if found is not None and found["id"] != self._own["id"]:
                    self.lost_to = _named(found)
                    _interrupt()
                    return
                if not self.ended.is_set():
                    self._write(renewal)

    def _watch(self, found: dict[str, Any]) -> None:
        """Return when the holder is gone; `StorageError` as soon as it gives a sign of life."""
        _log.warning(
            "%s is held by %s; looking for up to %s whether it is alive",
            self._store.location,
            _named(found),
            duration(_EXPIRES_S),
        )
        # Looks are counted: a machine that slept meanwhile has seen nothing.
        for _ in range(int(_EXPIRES_S / _LOOKED_AT_S)):
            time.sleep(_LOOKED_AT_S)
            now = self._read()
            if now is None:
                return
            if now != found:
                raise self._refused(now)

    def _refused(self, holder: dict[str, Any]) -> StorageError:
        return StorageError(
            f"{_named(holder)} is working in {self._store.location!r}; wait for it, or choose "
            "another place"
        )

    def _died_here(self, holder: dict[str, Any]) -> bool:
        """Whether the holder was a process of this machine that is no more."""
        if holder["machine"] != self._own["machine"]:
            return False
        try:
            os.kill(holder["pid"], 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def _read(self) -> dict[str, Any] | None:
        content = self._store.find_bytes(LEASE)
        found: dict[str, Any] | None = None if content is None else json.loads(content)
        return found

    def _write(self, renewal: int) -> None:
        self._store.write_json(LEASE, {**self._own, "renewal": renewal})


def holder_of(store: Store) -> str | None:
    """Who has, or had when it was killed, the lease of a place; None where nobody has."""
    content = store.find_bytes(LEASE)
    return None if content is None else _named(json.loads(content))


def _named(holder: dict[str, Any]) -> str:
    if not holder:
        return "another process"
    return f"process {holder['pid']} on {holder['host']} (since {holder['since']})"


def _interrupt() -> None:
    """Ctrl-C for the main thread; as SIGTERM where a script's background process ignores it."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    sent = signal.SIGTERM if ignored else signal.SIGINT
    signal.pthread_kill(threading.main_thread().ident or 0, sent)


def _machine() -> str:
    """This machine since it was started, and this container of it: where a process id counts."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)
