"""Whether a place will do, before work costs money: what `slr_ray.doctor` says of storage."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout
from pyarrow import fs as arrow_fs

from slr_ray.errors import StorageError
from slr_ray.locations import remember
from slr_ray.storage.calls import call, resolve
from slr_ray.storage.lease import holder_of
from slr_ray.storage.store import LOCK, Store

_LEAST_GIB = 2.0
"""Free space below which a search is likely to fill the disk."""


def check_storage(location: str) -> str:
    """How a place answers, in words; `StorageError` where it can't be written."""
    store, begun = Store(location), time.monotonic()
    store.check_writable()
    answers = f"can be written, {time.monotonic() - begun:.2g} s for a file"
    return f"{answers}; {check_room(store.local_path())}" if store.is_local else answers


def check_room(path: Path) -> str:
    """The free space of a disk, in words; `StorageError` where it is little."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free / 2**30
    if free < _LEAST_GIB:
        raise StorageError(
            f"{free:.2f} GiB free on the disk of {path}: make room, or choose another place; a "
            "search that fills it stops, and goes on when there is room"
        )
    return f"{free:.0f} GiB free"


def check_drivers(location: str) -> str:
    """Who works in a run, or in the runs of a folder; `StorageError` where it is a run."""
    store = Store(location)
    own = _holder(store)
    if own is not None:
        raise StorageError(f"{own} works in {store.location}: a second driver would be refused")
    filesystem, path = resolve(store.location)
    selector = arrow_fs.FileSelector(path, allow_not_found=True)
    below = call(store.location, lambda: filesystem.get_file_info(selector))
    names = sorted(
        PurePosixPath(one.path).name for one in below if one.type == arrow_fs.FileType.Directory
    )
    with ThreadPoolExecutor(max_workers=8) as pool:
        holders = list(pool.map(lambda one: _holder(store.join(one)), names))
    working = [f"{name}: {who}" for name, who in zip(names, holders, strict=True) if who]
    return "; ".join(working) or "nobody works there"


def check_secrets(location: str) -> str:
    """`StorageError` where a URI holds secrets that others may see."""
    shown = remember(location)
    if shown == location:
        return "none in the URI"
    raise StorageError(
        f"{shown} is given with its secrets. They get into no file, but into the shell's history "
        "and the list of processes: put the whole URI into the environment variable SLR_RAY_URIS "
        "and type it with ***, or use the cloud's own environment variables and profiles"
    )


def _holder(store: Store) -> str | None:
    if not store.is_local:
        return holder_of(store)
    lock = store.local_path(LOCK)
    if not lock.exists():
        return None
    try:
        with FileLock(lock, timeout=0):
            return None
    except Timeout:
        return "a process of this machine"
