"""Video files as clips, without a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from slr_ray.errors import DataError
from slr_ray.text import is_sidecar
from slr_ray.videos.frames.pictures import PICTURE_SUFFIXES, picture_folders
from slr_ray.videos.frames.source import VideoClip

_NAMES = "mp4 mov m4v mkv webm avi mpg mpeg wmv flv 3gp ts mts m2ts ogv gif"
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _NAMES.split(" "))
"""What counts as a video in a folder; a file that is named itself may be called anything."""


def video_clips(sources: Iterable[Path], fps: float | None = None) -> list[VideoClip]:
    """Every file among the sources and every video in the folders among them, as a whole clip.

    A folder of pictures is one video, of `fps` frames a second. A clip's id is its video's name, or
    as much of its path as tells it from the others. Raises `DataError` where a source is missing or
    a folder holds no video.
    """
    videos: dict[Path, None] = {}
    for source in sources:
        if source.is_dir():
            inside = _videos_in(source)
            if not inside:
                raise DataError(
                    f"{str(source)!r} holds no video ({', '.join(sorted(VIDEO_SUFFIXES))}) and no "
                    f"folder of pictures ({', '.join(sorted(PICTURE_SUFFIXES))})"
                )
            videos |= dict.fromkeys(inside)
        elif source.exists():
            videos[source] = None
        else:
            raise DataError(f"no such file or folder: {str(source)!r}")
    paths = list(videos)
    names = [path.name or path.resolve().name for path in paths]
    return [
        VideoClip(
            name if names.count(name) == 1 else str(path),
            str(path),
            None,
            None,
            fps=fps if path.is_dir() else None,
        )
        for path, name in zip(paths, names, strict=True)
    ]


def holds_videos(folder: Path) -> bool:
    """Whether a folder has a video file, pictures aside."""
    return any(one.suffix.lower() in VIDEO_SUFFIXES for one in folder.rglob("*") if one.is_file())


def _videos_in(folder: Path) -> list[Path]:
    found = [
        name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_sidecar(name := PurePosixPath(path.relative_to(folder)))
    ]
    videos = [name for name in found if name.suffix.lower() in VIDEO_SUFFIXES]
    pictures = picture_folders(found, VIDEO_SUFFIXES)
    return [folder / name for name in sorted([*videos, *pictures])]
