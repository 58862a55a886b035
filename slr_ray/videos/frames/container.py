"""Video files opened: the pictures' stream and its clock, or why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from slr_ray.videos.frames.source import ExtractionFailed

_DEFAULT_TICK = Fraction(1, 90_000)
_DEFAULT_FPS = 25


@contextmanager
def open_video(path: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its first video stream; `ExtractionFailed` where there is none."""
    container = _open(path)
    try:
        # A cover picture is a video stream of one frame that nobody filmed.
        streams = [
            one
            for one in container.streams.video
            if not one.disposition & av.stream.Disposition.attached_pic
        ]
        if not streams:
            raise _without_video(path, container)
        stream = streams[0]
        if stream.codec_context is None:
            raise ExtractionFailed(
                "unknown_codec",
                f"{path}: nothing says how its pictures are coded. It breaks off, get it again; or "
                "FFmpeg does not know its codec",
            )
        # Workers share the processors among themselves; a decoder with threads of its own would
        # only get in the way of the others.
        stream.codec_context.thread_count = 1
        yield container, stream
    finally:
        container.close()


def _open(path: str) -> InputContainer:
    try:
        size = Path(path).stat().st_size
    except FileNotFoundError:
        raise ExtractionFailed(
            "not_found", f"no such file: {path}. Correct the manifest or bring the file"
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if Path(path).is_dir() or not os.access(path, os.R_OK):
        raise _unreadable(path, OSError(0, "a folder without pictures, or no permission"))
    if size == 0:
        raise ExtractionFailed("empty", f"{path} is empty (0 bytes): get it again")
    try:
        return av.open(path)
    except av.error.FFmpegError as error:
        if _looks_like_video(path):
            raise _without_index(path) from None
        raise ExtractionFailed(
            "not_a_video",
            f"{path} is not a video that FFmpeg can read ({reason_of(error)}): "
            "it is damaged or another kind of file",
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _without_video(path: str, container: InputContainer) -> ExtractionFailed:
    if not any(one.type in ("audio", "video", "subtitle") for one in container.streams):
        return _without_index(path)
    kinds = ", ".join(sorted({one.type for one in container.streams}))
    return ExtractionFailed("no_video_stream", f"{path} has no pictures, only {kinds}")


def _looks_like_video(path: str) -> bool:
    """Whether the file begins as MP4 or QuickTime, or as Matroska or WebM."""
    with Path(path).open("rb") as file:
        head = file.read(8)
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or head[:4] == b"\x1aE\xdf\xa3"


def _without_index(path: str) -> ExtractionFailed:
    return ExtractionFailed(
        "truncated", f"{path} breaks off before its list of frames: get it again"
    )


def _unreadable(path: str, error: OSError) -> ExtractionFailed:
    return ExtractionFailed(
        "unreadable", f"cannot read {path}: {error.strerror or error}. Check its permissions"
    )


def reason_of(error: Exception) -> str:
    """What FFmpeg says, without its number."""
    return str(getattr(error, "strerror", None) or error)


def tick_s(stream: VideoStream) -> float:
    """Seconds that one unit of the stream's timestamps stands for."""
    return float(stream.time_base or _DEFAULT_TICK)


def interval_s(stream: VideoStream) -> float:
    """Seconds from frame to frame as the file states them."""
    return float(1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_FPS))
