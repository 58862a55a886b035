"""Video files below a folder, by a glob, or behind a cloud prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote

from pyarrow import ArrowException
from pyarrow import fs as arrow_fs

from slr_ray.errors import ConfigError, DataError
from slr_ray.storage import below, is_uri, resolve, split_query
from slr_ray.videos.detection.files import VIDEO_SUFFIXES

_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class VideoFile:
    path: str
    """An absolute local path or a URI."""
    name: str
    """Relative to the source, with forward slashes."""
    size_bytes: int

    @property
    def stem(self) -> str:
        return str(PurePosixPath(self.name).with_suffix(""))


@dataclass(frozen=True)
class Listing:
    files: list[VideoFile]
    num_others: int = 0
    """Files that do not end like a video."""
    unnameable: list[str] = field(default_factory=list)
    """Videos whose names are not UTF-8, so that no shard can hold them."""


def list_videos(source: str) -> Listing:
    """The videos that a folder, a glob, a file, a URI or a URI with wildcards stands for.

    `**` in a glob stands for any number of folders. What exists under just that name is no glob. In
    a URI, the `?` of a query such as `?endpoint_override=...` is no wildcard. Sorted by name;
    hidden files and folders are left out. `DataError` where there is nothing, `ConfigError` where a
    glob is none.
    """
    try:
        base, pattern = _split(source)
        filesystem, root = resolve(base)
        info = filesystem.get_file_info(root)
        if info.type == arrow_fs.FileType.File:
            path = source if is_uri(source) else str(info.path)
            return Listing([VideoFile(path, PurePosixPath(info.path).name, int(info.size))])
        if info.type == arrow_fs.FileType.NotFound:
            raise DataError(f"no such file or folder: {source!r}")
        selector = arrow_fs.FileSelector(root, recursive=True)
        found = [(*_path(one), one) for one in filesystem.get_file_info(selector) if one.is_file]
    except (OSError, ArrowException, UnicodeEncodeError) as error:
        raise DataError(f"cannot read {source!r}: {error}") from None
    files, unnameable, num_others = [], [], 0
    folder = base if is_uri(base) else root
    for path, is_text, one in sorted(found, key=lambda each: each[0]):
        name = str(PurePosixPath(path).relative_to(root))
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if pattern is not None and not pattern.fullmatch(name):
            continue
        if pattern is None and PurePosixPath(name).suffix.lower() not in VIDEO_SUFFIXES:
            num_others += 1
        elif is_text:
            files.append(VideoFile(below(folder, name), name, int(one.size)))
        else:
            unnameable.append(name)
    if not (files or unnameable):
        raise DataError(
            f"{source!r} holds no video ({num_others} other files); videos end in "
            + ", ".join(sorted(VIDEO_SUFFIXES))
        )
    return Listing(files, num_others, unnameable)


def _path(info: arrow_fs.FileInfo) -> tuple[str, bool]:
    """A file's path, and whether it is UTF-8; other bytes are shown as numbers."""
    try:
        return str(info.path), True
    except UnicodeDecodeError as error:
        return error.object.decode(errors="backslashreplace"), False


class VideoIndex:
    """Finds videos by the names that a corpus's metadata uses: with or without suffix or folder."""

    def __init__(self, files: Iterable[VideoFile]) -> None:
        self._by_key: dict[str, VideoFile] = {}
        self._by_path: dict[str, VideoFile] = {}
        for one in files:
            parts = PurePosixPath(one.stem).parts
            for start in range(len(parts)):
                self._by_path.setdefault("/".join(parts[start:]), one)
            path = PurePosixPath(one.name)
            for key in (path.stem, path.name, one.stem, one.name):
                self._by_key.setdefault(key, one)

    def find(self, *names: str) -> VideoFile | None:
        """The video of the first name that there is one for."""
        return next((self._by_key[name] for name in names if name in self._by_key), None)

    def find_path(self, stem: str) -> VideoFile | None:
        """The video whose path below the folder, without its suffix, is or ends in `stem`."""
        return self._by_path.get(stem)


def _split(source: str) -> tuple[str, re.Pattern[str] | None]:
    """A glob as the folder before its first wildcard and a pattern for names below it."""
    place, query = split_query(source)
    if not _WILDCARD.search(place) or _exists(source):
        return source, None
    parts = place.split("/")
    first = next(index for index, part in enumerate(parts) if _WILDCARD.search(part))
    base = "/".join(parts[:first]) or ("/" if source.startswith("/") else ".")
    glob = "/".join(parts[first:])
    try:
        return base + query, re.compile(_translate(glob, is_uri(source)))
    except re.error as error:
        raise ConfigError(f"{glob!r} is no glob: {error}. Correct its brackets") from None


def _exists(source: str) -> bool:
    filesystem, path = resolve(source)
    return bool(filesystem.get_file_info(path).type != arrow_fs.FileType.NotFound)


def _translate(glob: str, quoted: bool) -> str:
    """A glob as a regular expression; `quoted`: what is no wildcard is written as in a URI."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", glob)
    meaning = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return "".join(
        meaning[piece]
        if piece in meaning
        else piece.replace("[!", "[^")
        if piece.startswith("[") and piece.endswith("]")
        else re.escape(unquote(piece) if quoted else piece)
        for piece in pieces
    )
