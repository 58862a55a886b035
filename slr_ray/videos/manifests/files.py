"""Videos below a folder, by a glob, or behind a cloud prefix: files, and folders of pictures."""

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
from slr_ray.text import is_sidecar, normal_name
from slr_ray.videos.frames.files import VIDEO_SUFFIXES
from slr_ray.videos.frames.pictures import PICTURE_SUFFIXES, picture_folders

_NUMBER = re.compile(r"0*(\d+?)(?:\.0)?")
"""What is left of a number that was read as one: 00335 becomes 335, beside blank cells 335.0."""
_ROOT = PurePosixPath(".")
_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class VideoFile:
    path: str
    """An absolute local path or a URI."""
    name: str
    """Relative to the source, with forward slashes."""
    size_bytes: int
    is_folder: bool = False
    """Whether it is a folder of pictures, one a frame."""

    @property
    def stem(self) -> str:
        """The name without a suffix; a folder has none."""
        if self.is_folder:
            return self.name
        return str(PurePosixPath(self.name).with_suffix(""))


@dataclass(frozen=True)
class Listing:
    files: list[VideoFile]
    num_others: int = 0
    """Files that do not end like a video."""
    unnameable: list[str] = field(default_factory=list)
    """Videos whose names are not UTF-8, so that no shard can hold them."""

    def notes(self, fps: float | None) -> list[str]:
        """What a user would not expect of the listing; `fps` is the one of folders of pictures."""
        notes = []
        if num_folders := sum(one.is_folder for one in self.files):
            rate = "of an unknown rate; --fps states it" if fps is None else f"at {fps:g} a second"
            notes.append(f"{num_folders} folders of pictures, each taken as one video, {rate}")
        if self.num_others:
            notes.append(f"{self.num_others} files that are no videos left aside")
        return notes


def list_videos(source: str) -> Listing:
    """The videos that a folder, a glob, a file, a URI or a URI with wildcards stands for.

    `**` in a glob stands for any number of folders. What exists under just that name is no glob. In
    a URI, the `?` of a query such as `?endpoint_override=...` is no wildcard. A folder of pictures
    is one video. Sorted by name; hidden files and those of operating systems are left out.
    `DataError` where there is nothing, `ConfigError` where a glob is none.
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
    named = [(PurePosixPath(path).relative_to(root), is_text, one) for path, is_text, one in found]
    named = sorted((one for one in named if not is_sidecar(one[0])), key=lambda each: each[0])
    folder = base if is_uri(base) else root
    sizes = _sizes_of_pictures(named, pattern)
    files = [
        VideoFile(
            folder if name == _ROOT else below(folder, str(name)),
            PurePosixPath(root).name if name == _ROOT else str(name),
            size,
            is_folder=True,
        )
        for name, size in sizes.items()
    ]
    unnameable, num_others = [], 0
    for path_below, is_text, one in named:
        name = str(path_below)
        if path_below.parent in sizes and path_below.suffix.lower() in PICTURE_SUFFIXES:
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
            + "; folders of pictures hold "
            + ", ".join(sorted(PICTURE_SUFFIXES))
        )
    return Listing(sorted(files, key=lambda one: one.name), num_others, unnameable)


_Named = tuple[PurePosixPath, bool, arrow_fs.FileInfo]


def _sizes_of_pictures(
    named: list[_Named], pattern: re.Pattern[str] | None
) -> dict[PurePosixPath, int]:
    """The folders of pictures that are wanted, with the size of all their pictures."""
    folders = {
        folder
        for folder in picture_folders(
            (name for name, is_text, _ in named if is_text), VIDEO_SUFFIXES
        )
        if pattern is None or pattern.fullmatch(str(folder))
    }
    sizes = dict.fromkeys(sorted(folders), 0)
    for name, _, one in named:
        if name.parent in sizes and name.suffix.lower() in PICTURE_SUFFIXES:
            sizes[name.parent] += int(one.size)
    return sizes


def _path(info: arrow_fs.FileInfo) -> tuple[str, bool]:
    """A file's path, and whether it is UTF-8; other bytes are shown as numbers."""
    try:
        return str(info.path), True
    except UnicodeDecodeError as error:
        return error.object.decode(errors="backslashreplace"), False


class VideoIndex:
    """Finds videos by the names that a corpus's metadata uses: with or without suffix or folder.

    Names are compared in their normal form, as a Mac writes accents in another way. A number that
    lost its leading zeros to a reader of tables is found where only one video has that number.
    """

    def __init__(self, files: Iterable[VideoFile]) -> None:
        self._by_key: dict[str, VideoFile] = {}
        self._by_path: dict[str, VideoFile] = {}
        self._by_number: dict[str, list[VideoFile]] = {}
        for one in files:
            stem, name = normal_name(one.stem), normal_name(one.name)
            parts = PurePosixPath(stem).parts
            for start in range(len(parts)):
                self._by_path.setdefault("/".join(parts[start:]), one)
            for key in (parts[-1], PurePosixPath(name).name, stem, name):
                self._by_key.setdefault(key, one)
            if number := _NUMBER.fullmatch(parts[-1]):
                self._by_number.setdefault(number[1], []).append(one)

    def find(self, *names: str) -> VideoFile | None:
        """The video of the first name that there is one for."""
        wanted = [normal_name(name) for name in names]
        found = next((self._by_key[name] for name in wanted if name in self._by_key), None)
        if found is not None:
            return found
        numbers = (match[1] for name in wanted if (match := _NUMBER.fullmatch(name)))
        same = next((self._by_number[one] for one in numbers if one in self._by_number), [])
        return same[0] if len(same) == 1 else None

    def find_path(self, stem: str) -> VideoFile | None:
        """The video whose path below the folder, without its suffix, is or ends in `stem`."""
        return self._by_path.get(normal_name(stem))


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
