"""Whether a video has all that it announces.

Lengths in headers are wrong in many whole files: recorders write them before they know, and a last
picture may be shown for seconds. So a length that was not reached counts only where the file does
not have the bytes, either, that its outermost structure announces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from slr_ray.videos.frames.source import ExtractionFailed, VideoClip
from slr_ray.videos.frames.timeline import FrameRange

_MISSING_SHARE = 0.05
_MISSING_S = 0.5
"""A file lacks its end where more than this share and this time of what it announces is missing."""
_EBML = b"\x1aE\xdf\xa3"
_GIF_END = b";"
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof")


def check_complete(video: VideoClip, wanted: FrameRange, found_s: float) -> None:
    """The file ended before the range did: was there less than it, or the range, promised?"""
    stated_s = wanted.file_s
    for promised_s, is_certain in ((stated_s, False), (wanted.promised_s, True)):
        if promised_s is None:
            continue
        missing_s = promised_s - found_s
        if missing_s > max(_MISSING_S, _MISSING_SHARE * promised_s) and (
            is_certain or not is_whole(video.path)
        ):
            raise ExtractionFailed(
                "truncated",
                f"{video.path} breaks off after {max(found_s, 0):.2f} of {promised_s:.2f} s: get "
                "it again",
            )
    if (stated_s is None or stated_s < found_s - _MISSING_S) and is_whole(video.path) is False:
        raise ExtractionFailed(
            "truncated",
            f"{video.path} breaks off after {max(found_s, 0):.2f} s: it has fewer bytes than it "
            "says, get it again",
        )
    if math.isfinite(wanted.end_s) and wanted.end_s - found_s > _MISSING_S:
        raise ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} ends at {wanted.end_s:.2f} s, its file {video.path} at "
            f"{found_s:.2f} s: correct the range",
        )


def check_share(path: str, num_refused: int, num_good: int) -> None:
    """Raise `ExtractionFailed` where too many pictures are damaged for a clip to be made of it."""
    if num_refused > _MISSING_SHARE * (num_good + num_refused):
        raise ExtractionFailed(
            "truncated",
            f"{path}: {num_refused} of {num_good + num_refused} pictures can't be decoded: it "
            "breaks off or is damaged, get it again",
        )


def is_whole(path: str) -> bool | None:
    """None where the file does not say how large it is, or where its format is not known here.

    Known are MP4 and QuickTime (boxes), Matroska and WebM (segment), AVI (RIFF) and GIF (its end).
    """
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        head = file.read(8)
        if head[4:8] in _BOXES:
            ends = list(_box_ends(file, size))
        elif head[:4] == b"RIFF":
            ends = list(_riff_ends(file, size))
        elif head[:4] == _EBML:
            ends = [_segment_end(file)]
        elif head[:4] == b"GIF8":
            file.seek(-1, 2)
            return file.read(1) == _GIF_END
        else:
            return None
    return None if None in ends else all(end is not None and end <= size for end in ends)


def _box_ends(file: BinaryIO, size: int) -> Iterator[int | None]:
    place = 0
    while place + 8 <= size:
        file.seek(place)
        length = int.from_bytes(file.read(4), "big")
        kind = file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length < 8 or not kind.isascii():
            # Up to the end of the file, or what follows is no box.
            yield None
            return
        place += length
        yield place


def _riff_ends(file: BinaryIO, size: int) -> Iterator[int | None]:
    """Large AVI files are several RIFFs, one after another."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        if file.read(4) != b"RIFF":
            return
        length = int.from_bytes(file.read(4), "little")
        # A recorder writes the length when it stops.
        if length == 0:
            yield None
            return
        place += 8 + length + length % 2
        yield place - length % 2


def _segment_end(file: BinaryIO) -> int | None:
    file.seek(len(_EBML))
    header = _ebml_length(file)
    if header is None:
        return None
    file.seek(header, 1)
    file.seek(4, 1)
    length = _ebml_length(file)
    return None if length is None else file.tell() + length


def _ebml_length(file: BinaryIO) -> int | None:
    """A number of 1 to 8 bytes, the first of which tells how many; all ones mean unknown."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    num_more = 8 - first[0].bit_length()
    bits = 7 * (num_more + 1)
    number = int.from_bytes(first + file.read(num_more), "big") & ((1 << bits) - 1)
    return None if number == (1 << bits) - 1 else number
