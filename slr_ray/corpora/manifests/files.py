"""Video files below a folder, by a glob, or behind a cloud prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pyarrow import ArrowException
from pyarrow import fs as arrow_fs

from slr_ray.errors import DataError
from slr_ray.storage import is_uri, resolve

VIDEO_SUFFIXES = frozenset(
    f".{one}"
    for one in ("mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "wmv", "3gp", "flv")
)
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
    num_others: int
    """Files that do not end like a video."""


def list_videos(source: str) -> Listing:
    """The videos that a folder, a glob, a file, a URI or a URI with wildcards stands for.

    `**` in a glob stands for any number of folders. Sorted by name; hidden files and folders are
    left out. `DataError` where there is nothing.
    """
    base, pattern = _split(source)
    filesystem, root = resolve(base)
    scheme = base.split("://", 1)[0] + "://" if is_uri(base) else ""
    try:
        info = filesystem.get_file_info(root)
        if info.type == arrow_fs.FileType.File:
            name = PurePosixPath(info.path).name
            return Listing([VideoFile(scheme + info.path, name, int(info.size))], 0)
        if info.type == arrow_fs.FileType.NotFound:
            raise DataError(f"no such file or folder: {source!r}")
        selector = arrow_fs.FileSelector(root, recursive=True)
        found = [one for one in filesystem.get_file_info(selector) if one.is_file]
    except (OSError, ArrowException) as error:
        raise DataError(f"cannot read {source!r}: {error}") from None
    files, num_others = [], 0
    for one in sorted(found, key=lambda each: str(each.path)):
        name = str(PurePosixPath(one.path).relative_to(root))
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if pattern is not None and not pattern.fullmatch(name):
            continue
        if pattern is None and PurePosixPath(name).suffix.lower() not in VIDEO_SUFFIXES:
            num_others += 1
            continue
        files.append(VideoFile(scheme + one.path, name, int(one.size)))
    if not files:
        raise DataError(
            f"{source!r} holds no video ({num_others} other files); videos end in "
            + ", ".join(sorted(VIDEO_SUFFIXES))
        )
    return Listing(files, num_others)


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
    if not _WILDCARD.search(source):
        return source, None
    parts = source.split("/")
    first = next(index for index, part in enumerate(parts) if _WILDCARD.search(part))
    base = "/".join(parts[:first]) or ("/" if source.startswith("/") else ".")
    return base, re.compile(_translate("/".join(parts[first:])))


def _translate(glob: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", glob)
    meaning = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return "".join(
        meaning.get(piece, piece.replace("[!", "[^") if piece.startswith("[") else re.escape(piece))
        for piece in pieces
    )
