"""A folder of pictures as a video: one PNG or JPEG a frame, as PHOENIX and GSL are published.

The frames' order is that of the numbers in their names. Where only one number of the names varies,
it also tells which frames are not there. Pictures state no rate: the clip's `fps` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from slr_ray.text import is_sidecar
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip, check_range

PICTURE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))
_FEWEST = 2
"""A single picture in a folder is a cover, or a note."""
_TOLERATED_FRAMES = 15
"""By how many frames a range may end after its folder, as in a file."""
_EARLY_FRAMES = 0.25
"""By how much of a frame a range in seconds is taken early, as in a file."""


@dataclass(frozen=True)
class PictureSequence:
    """The pictures of a clip's range, in order."""

    files: list[Path]
    frames: list[int]
    """The number of each, counted from 0 at the folder's first picture."""
    num_missing: int
    """Numbers between them that have no picture."""


def is_picture(name: PurePosixPath) -> bool:
    return name.suffix.lower() in PICTURE_SUFFIXES


def picture_folders(
    names: Iterable[PurePosixPath], video_suffixes: Iterable[str]
) -> set[PurePosixPath]:
    """The folders among those of these files that are clips: several pictures and no video."""
    num_pictures: dict[PurePosixPath, int] = {}
    with_video = set()
    for name in names:
        if is_picture(name):
            num_pictures[name.parent] = num_pictures.get(name.parent, 0) + 1
        elif name.suffix.lower() in video_suffixes:
            with_video.add(name.parent)
    return {
        folder
        for folder, number in num_pictures.items()
        if number >= _FEWEST and folder not in with_video
    }


def is_picture_folder(path: str) -> bool:
    return Path(path).is_dir() and any(_pictures(Path(path)))


def picture_sequence(video: VideoClip) -> PictureSequence:
    """The pictures in the clip's range; raises `ExtractionFailed`."""
    check_range(video)
    files = sorted(_pictures(Path(video.path)), key=lambda one: _parts(one.stem))
    frames = _frame_numbers(video.path, files)
    start, end = _range(video)
    num_frames = frames[-1] + 1
    if start >= num_frames or (end is not None and end > num_frames + _TOLERATED_FRAMES):
        raise ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} goes to frame {start if start >= num_frames else end}, its "
            f"folder {video.path} has {num_frames}: correct the range",
        )
    end = num_frames if end is None else min(end, num_frames)
    chosen = [index for index, frame in enumerate(frames) if start <= frame < end]
    if not chosen:
        raise ExtractionFailed(
            "truncated", f"{video.path} has no picture of frames {start} to {end}: get it again"
        )
    return PictureSequence(
        [files[index] for index in chosen],
        [frames[index] for index in chosen],
        end - start - len(chosen),
    )


def read_picture(
    path: Path, longest_side_px: int | None
) -> UInt8[np.ndarray, "height width 3"] | None:
    """RGB, turned as the camera noted, at most `longest_side_px` long; None where it is damaged."""
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    scale = min(1.0, longest_side_px / max(image.size)) if longest_side_px else 1.0
    if scale < 1:
        width, height = (max(2, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _pictures(folder: Path) -> Iterator[Path]:
    return (
        one
        for one in folder.iterdir()
        if is_picture(PurePosixPath(one.name)) and not is_sidecar(PurePosixPath(one.name))
    )


def _parts(stem: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """A name's texts and its numbers, so that frame 10 comes after frame 9."""
    pieces = re.split(r"(\d+)", stem)
    return tuple(pieces[::2]), tuple(map(int, pieces[1::2]))


def _frame_numbers(folder: str, files: list[Path]) -> list[int]:
    texts, numbers = zip(*(_parts(one.stem) for one in files), strict=True)
    if len(set(texts)) > 1:
        return list(range(len(files)))
    table = np.array(numbers, dtype=object).reshape(len(files), -1)
    varying = [column for column in table.T if len(set(column)) > 1]
    if len(files) > 1 and not varying:
        raise _twice(folder, files[0], files[1])
    if len(varying) != 1:
        return list(range(len(files)))
    found: list[int] = varying[0].tolist()
    for first, second, one, other in zip(found, found[1:], files, files[1:], strict=False):
        if first == second:
            raise _twice(folder, one, other)
    # Every second or third frame of a film may have been kept.
    step = math.gcd(*(number - found[0] for number in found))
    return [(number - found[0]) // step for number in found]


def _twice(folder: str, one: Path, other: Path) -> ExtractionFailed:
    return ExtractionFailed(
        "not_a_video",
        f"{folder} holds one frame twice ({one.name}, {other.name}): keep one picture a frame",
    )


def _range(video: VideoClip) -> tuple[int, int | None]:
    """First frame and the one after the last, which is None where the range is open."""
    if (video.start_s, video.end_s) == (None, None):
        return video.start_frame or 0, video.end_frame
    if video.fps is None:
        raise without_rate(video, "its range is in seconds")
    first = max(0, math.ceil((video.start_s or 0) * video.fps - _EARLY_FRAMES))
    last = None if video.end_s is None else math.ceil(video.end_s * video.fps - _EARLY_FRAMES)
    return first, last


def without_rate(video: VideoClip, need: str) -> ExtractionFailed:
    return ExtractionFailed(
        "no_frame_rate",
        f"{video.path} is a folder of pictures, which states no frame rate, and {need}: give it "
        "with --fps, or as column fps of a manifest",
    )
