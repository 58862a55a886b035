"""Files in a local folder or behind a cloud URI, written so that no reader sees half of one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from filelock import FileLock, Timeout
from pyarrow import ArrowException
from pyarrow import fs as arrow_fs

from slr_ray.errors import StorageError

# mkstemp makes files for their owner alone; results are for all who may read the folder.
_MODE = 0o644
_QUERY = re.compile(r"\?(?=\w+=)")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ALLOWED = "%/:@!$&'()*+,;=~"
"""What a URI may hold as it is, before its query."""


def is_uri(location: str) -> bool:
    """Whether `location` names a place behind a scheme, such as s3://bucket/runs."""
    return "://" in location


def resolve(location: str) -> tuple[arrow_fs.FileSystem, str]:
    """The filesystem behind a path or URI, and the path on it. `StorageError` on a bad URI.

    A URI may hold spaces and other signs that should be written as %20 and so on.
    """
    if not is_uri(location):
        return arrow_fs.LocalFileSystem(), str(Path(location).expanduser().absolute())
    place, query = split_query(location)
    quoted = quote(_BARE_PERCENT.sub("%25", place), safe=_ALLOWED)
    try:
        filesystem, path = arrow_fs.FileSystem.from_uri(quoted + query)
    except (ArrowException, OSError, ValueError) as error:
        raise StorageError(f"cannot use {location!r} as a location: {error}") from None
    return filesystem, path


def split_query(location: str) -> tuple[str, str]:
    """A URI without its query, and the query with its `?`; a path has none.

    A query begins at the first `?` that `KEY=` follows, as in `?endpoint_override=...`. Every other
    `?` belongs to a name, or is a wildcard.
    """
    found = _QUERY.search(location) if is_uri(location) else None
    return (location[: found.start()], location[found.start() :]) if found else (location, "")


def below(location: str, name: str) -> str:
    """The path or URI of `name`, as a file system writes it, below a folder or URI.

    In a URI, the name is quoted and the query stays at the end.
    """
    place, query = split_query(location)
    return f"{place.rstrip('/')}/{quote(name) if is_uri(place) else name}{query}"


def parted(location: str) -> tuple[str, str]:
    """The folder, with a URI's query, and the name of a file: what `below` joins."""
    if not is_uri(location):
        return str(Path(location).parent), Path(location).name
    place, query = split_query(location)
    folder, _, name = place.rstrip("/").rpartition("/")
    return folder + query, unquote(name)


def read_file(location: str) -> bytes:
    """The content of a file, here or behind a URI. Raises `OSError`."""
    filesystem, path = resolve(location)
    with filesystem.open_input_stream(path) as stream:
        return bytes(stream.read())


def absolute(location: str) -> str:
    """A path as an absolute one, a URI as it is: other processes have other working folders."""
    return location if is_uri(location) else str(Path(location).expanduser().absolute())


def cache_root() -> Path:
    """Where corpora are mapped from and models kept: `SLR_RAY_CACHE`, else the user's cache."""
    named = os.environ.get("SLR_RAY_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "slr_ray"


@dataclass(frozen=True)
class Store:
    """A folder, local or remote, whose files are replaced whole.

    Local files are written beside their target and renamed; object stores replace an object
    atomically by themselves.
    """

    location: str

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
        return bool(filesystem.get_file_info(path).type == arrow_fs.FileType.File)

    def read_bytes(self, name: str) -> bytes:
        return read_file(below(self.location, name))

    def read_json(self, name: str) -> Any:
        return json.loads(self.read_bytes(name))

    def write_bytes(self, name: str, content: bytes) -> None:
        filesystem, path = self._at(name)
        if self.is_local:
            folder = Path(path).parent
            folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
            try:
                os.fchmod(handle, _MODE)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            return
        filesystem.create_dir(str(PurePosixPath(path).parent), recursive=True)
        with filesystem.open_output_stream(path) as stream:
            stream.write(content)

    def write_json(self, name: str, value: Any) -> None:
        self.write_bytes(name, (json.dumps(value, indent=1) + "\n").encode())

    def delete(self, name: str) -> None:
        filesystem, path = self._at(name)
        if self.exists(name):
            filesystem.delete_file(path)

    def names(self, folder: str = "", suffix: str = "") -> Iterator[str]:
        """Names, relative to the store, of the files below `folder`; sorted."""
        filesystem, base = resolve(self.location)
        selector = arrow_fs.FileSelector(
            str(PurePosixPath(base) / folder), recursive=True, allow_not_found=True
        )
        found = [info for info in filesystem.get_file_info(selector) if info.is_file]
        for info in sorted(found, key=lambda one: one.path):
            name = str(PurePosixPath(info.path).relative_to(base))
            if name.endswith(suffix) and not PurePosixPath(name).name.startswith(".writing-"):
                yield name

    def check_writable(self) -> None:
        """Write and remove a small file; `StorageError` says why that is not possible."""
        try:
            self.write_bytes(".write-check", b"")
            self.delete(".write-check")
        except (OSError, ArrowException) as error:
            raise StorageError(
                f"cannot write to {self.location!r}: {error}; "
                "choose another place or make it writable"
            ) from None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The store for this process alone; `StorageError` where another one works in it.

        The system frees the lock when its process dies, however it does. On a local disk only:
        behind a URI nothing tells one process of another.
        """
        if not self.is_local:
            yield
            return
        folder = self.local_path()
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
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
