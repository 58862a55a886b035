"""Video files as clips, without a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.videos.detection.source import VideoClip

_NAMES = "mp4 mov m4v mkv webm avi mpg mpeg wmv flv 3gp ts mts m2ts ogv gif"
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split(" "))
"""What counts as a video in a folder; a file that is named itself may be called anything."""


def video_clips(sources: Iterable[Path]) -> list[VideoClip]:
    """Every file among the sources and every video in the folders among them, as a whole clip.

    A clip's id is its file's name, or as much of its path as tells it from the others. Raises
    `DataError` where a source is missing or a folder holds no video.
    """
    files: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            inside = [one for one in sorted(source.rglob("*")) if _is_video(one)]
            if not inside:
                raise DataError(
                    f"{str(source)!r} holds no video ({', '.join(sorted(VIDEO_SUFFIXES))})"
                )
            files |= dict.fromkeys(inside)
        elif source.exists():
            files[source] = None
        else:
            raise DataError(f"no such file or folder: {str(source)!r}")
    paths = list(files)
    names = [path.name for path in paths]
    return [
        VideoClip(name if names.count(name) == 1 else str(path), str(path), None, "unknown")
        for path, name in zip(paths, names, strict=True)
    ]


def _is_video(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts if part not in (".", ".."))
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not hidden
