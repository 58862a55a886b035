"""The cache of corpora on this machine: how large it is, who uses what, what may go.

A copy that a process uses is locked by it until it ends, however it ends; nothing else is worth
keeping for ever, since a copy is made again from its shards.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import cache_root

_LEASE, _SOURCE = "in_use", "source.txt"
_DEFAULT_GIB = 50.0
# The system frees them with the process; a corpus may be mapped until then.
_leases: dict[Path, int] = {}


def cache_folder() -> Path:
    """Where corpora are mapped from; made where it is not there. `DataError` where it can't be."""
    root = cache_root() / "corpora"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot make the corpus cache {root}: {error.strerror}; set SLR_RAY_CACHE"
        ) from None
    return root


def use(folder: Path, source: str) -> None:
    """Say that this process uses a copy, and when; `source` is where its clips lie."""
    (folder / _SOURCE).write_text(source)
    if folder not in _leases:
        lease = os.open(folder / _LEASE, os.O_RDWR | os.O_CREAT)
        fcntl.flock(lease, fcntl.LOCK_SH)
        _leases[folder] = lease
    os.utime(folder / _LEASE)


@dataclass(frozen=True)
class Copy:
    """One corpus in the cache."""

    folder: Path
    num_bytes: int
    last_used_s: float
    """Seconds since 1970."""
    source: str


def copies() -> list[Copy]:
    """Every copy, the one that was used longest ago first."""
    found = []
    for lease in cache_folder().glob(f"*/{_LEASE}"):
        folder = lease.parent
        try:
            sizes = [one.stat().st_size for one in folder.iterdir()]
            source = (folder / _SOURCE).read_text()
            found.append(Copy(folder, sum(sizes), lease.stat().st_mtime, source))
        except FileNotFoundError:
            continue  # another process has just removed it
    return sorted(found, key=lambda one: one.last_used_s)


def drop_outdated(newest: Path, source: str) -> None:
    """Remove older copies of a source, then what is used least while the cache is too large."""
    others = [one for one in copies() if one.folder != newest]
    for one in others:
        if source and one.source == source:
            _remove(one)
    left = copies()
    excess = sum(one.num_bytes for one in left) - limit_bytes()
    for one in left:
        if excess > 0 and one.folder != newest and _remove(one):
            excess -= one.num_bytes


def prune() -> Iterator[tuple[Copy, bool]]:
    """Remove every copy that no process uses; yields each and whether it went."""
    for one in copies():
        yield one, _remove(one)


def limit_bytes() -> int:
    """Of the whole cache: `SLR_RAY_CACHE_GIB`, else 50 GiB."""
    text = os.environ.get("SLR_RAY_CACHE_GIB")
    try:
        size = (_DEFAULT_GIB if text is None else float(text)) * 2**30
    except ValueError:
        size = -1.0
    if not 0 <= size < math.inf:
        raise ConfigError(f"SLR_RAY_CACHE_GIB is {text!r}: give a number of GiB, such as 20")
    return int(size)


def _remove(copy: Copy) -> bool:
    """Remove a copy unless a process builds or uses it."""
    building = FileLock(copy.folder.with_name(f"{copy.folder.name}.lock"), timeout=0)
    try:
        with building:
            lease = os.open(copy.folder / _LEASE, os.O_RDWR)
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Its description first: half a copy must not be taken for one.
                (copy.folder / "meta.json").unlink(missing_ok=True)
                shutil.rmtree(copy.folder, ignore_errors=True)
            finally:
                os.close(lease)
    except (Timeout, BlockingIOError, FileNotFoundError):
        return False
    return True
