"""A folder here or behind a URI whose files are written so that no reader sees half of one."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from pyarrow import ArrowException
from pyarrow import fs as arrow_fs

from slr_ray.errors import StorageError
from slr_ray.locations import below, is_uri, remember
from slr_ray.storage.calls import call, moving, reason, resolve
from slr_ray.storage.damage import intact
from slr_ray.storage.lease import leased

# mkstemp makes files for their owner alone; results are for all who may read the folder.
_MODE = 0o644
_PIECE_BYTES = 2**22
LOCK = ".lock"
_FLAT = ("s3", "gcs", "abfs")
"""Object stores, where a folder is but a part of a name."""

ReadT = TypeVar("ReadT")


@dataclass(frozen=True)
class Store:
    """A folder, local or remote, whose files are replaced whole.

    Local files are written beside their target and renamed; object stores replace an object
    atomically by themselves.
    """

    location: str
    """Without the secrets of a URI, which are kept in memory."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", remember(self.location))

    @property
    def is_local(self) -> bool:
        return not is_uri(self.location) or self.location.startswith("file://")

    def local_path(self, name: str = "") -> Path:
        """The path of `name` on this machine; only where `is_local`."""
        _, base = resolve(self.location)
        return Path(base) / name

    @property
    def plain_location(self) -> str:
        """For libraries that want a path where there is one, and no file:// URI."""
        return str(self.local_path()) if self.is_local else self.location

    def join(self, name: str) -> Store:
        return Store(below(self.location, name))

    def _at(self, name: str) -> tuple[arrow_fs.FileSystem, str]:
        filesystem, base = resolve(self.location)
        return filesystem, str(PurePosixPath(base) / name)

    def exists(self, name: str) -> bool:
        filesystem, path = self._at(name)
        if self.is_local:
            return bool(filesystem.get_file_info(path).type == arrow_fs.FileType.File)
        try:
            # One request; what get_file_info does not find it looks for as a folder, too.
            call(self.location, lambda: filesystem.open_input_stream(path).close())
        except FileNotFoundError:
            return False
        return True

    def read_bytes(self, name: str) -> bytes:
        return read_file(below(self.location, name))

    def find_bytes(self, name: str) -> bytes | None:
        """The content of a file; None where there is none. Cheaper than to ask for it first."""
        try:
            return self.read_bytes(name)
        except FileNotFoundError:
            return None

    def read_json(self, name: str) -> Any:
        return self.read_as(name, json.loads)

    def read_as(self, name: str, parse: Callable[[bytes], ReadT]) -> ReadT:
        """What `parse` makes of a file's content; `DataError` where it finds no sense in it."""
        content = self.read_bytes(name)
        with intact(below(self.location, name)):
            return parse(content)

    def write_bytes(self, name: str, content: bytes) -> None:
        filesystem, path = self._at(name)
        if self.is_local:
            _replace(Path(path), content)
            return

        def put() -> None:
            if filesystem.type_name not in _FLAT:
                filesystem.create_dir(str(PurePosixPath(path).parent), recursive=True)
            with filesystem.open_output_stream(path) as stream:
                stream.write(content)

        call(self.location, put, len(content), replaces=below(self.location, name))

    def write_json(self, name: str, value: Any) -> None:
        self.write_bytes(name, (json.dumps(value, indent=1) + "\n").encode())

    def delete(self, name: str) -> None:
        filesystem, path = self._at(name)
        with contextlib.suppress(FileNotFoundError):
            call(self.location, lambda: filesystem.delete_file(path))

    def names(self, folder: str = "", suffix: str = "") -> Iterator[str]:
        """Names, relative to the store, of the files below `folder`; sorted."""
        filesystem, base = resolve(self.location)
        selector = arrow_fs.FileSelector(
            str(PurePosixPath(base) / folder), recursive=True, allow_not_found=True
        )
        listed = call(self.location, lambda: filesystem.get_file_info(selector))
        for info in sorted((one for one in listed if one.is_file), key=lambda one: one.path):
            name = str(PurePosixPath(info.path).relative_to(base))
            if name.endswith(suffix) and not PurePosixPath(name).name.startswith(".writing-"):
                yield name

    def check_writable(self) -> None:
        """Write and remove a small file; `StorageError` says why that is not possible."""
        try:
            self.write_bytes(".write-check", b"")
            self.delete(".write-check")
        except (OSError, ArrowException, StorageError) as error:
            raise StorageError(
                f"cannot write to {self.location!r}: {reason(error)}; "
                "choose another place or make it writable"
            ) from None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The store for this process alone; `StorageError` where another one works in it.

        On a local disk a lock that the system frees when its process dies, however it does; behind
        a URI a lease (`storage/lease.py`).
        """
        if not self.is_local:
            with leased(self):
                yield
            return
        folder = self.local_path()
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise StorageError(
                f"another process is working in {self.location!r}; wait for it, or choose another "
                "folder"
            ) from None
        try:
            yield
        finally:
            lock.release()


def read_file(location: str) -> bytes:
    """The content of a file, here or behind a URI. Raises `OSError`."""
    filesystem, path = resolve(location)

    def get() -> bytes:
        pieces = []
        with filesystem.open_input_stream(path) as stream:
            while piece := stream.read(_PIECE_BYTES):
                pieces.append(piece)
                moving()
        return b"".join(pieces)

    return call(location, get)


def cache_root() -> Path:
    """Where corpora are mapped from and models kept: `SLR_RAY_CACHE`, else the user's cache."""
    named = os.environ.get("SLR_RAY_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "slr_ray"


def _replace(path: Path, content: bytes) -> None:
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
    try:
        os.fchmod(handle, _MODE)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise
