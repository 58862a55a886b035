"""From a clip's range to times and a place to seek to, without decoding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

from slr_ray.poses.extraction.source import ExtractionFailed, VideoClip

_REORDERED = 64
"""Packets come in decoding order; no frame is shown later than this many packets after its own."""
_DEFAULT_TICK = Fraction(1, 90_000)
_DEFAULT_FPS = 25
_TOLERATED_FRAMES = 15
"""By how many frames a range may end after its file: manifests round, and count from 1 or 0."""


@dataclass(frozen=True)
class FrameRange:
    """Times are seconds since the first frame of the file."""

    origin_pts: int
    """Timestamp of the first frame."""
    start_s: float
    end_s: float
    """Excluded; infinite where the range goes to the end."""
    seek_pts: int | None
    """Where to seek to; None to read from the start."""
    file_s: float | None
    """How long the stream says it is; None where it does not."""
    promised_s: float | None = None
    """How long the file's list of frames makes it; None where that was not read."""


def frame_range(video: VideoClip, container: InputContainer, stream: VideoStream) -> FrameRange:
    """Where the clip begins and ends in its file.

    A range of frames is looked up in the packets' timestamps up to its end, which is exact at any
    frame rate and reads but does not decode. Raises `ExtractionFailed` of kind range_beyond_end.
    """
    origin = stream.start_time or 0
    file_s = _duration_s(container, stream)
    if video.start_frame is None and video.end_frame is None:
        start_s, end_s = video.start_s or 0.0, math.inf if video.end_s is None else video.end_s
        if file_s is not None and start_s >= file_s:
            raise ExtractionFailed(
                "range_beyond_end",
                f"clip {video.clip_id!r} starts at {start_s:.2f} s, its file {video.path} is "
                f"{file_s:.2f} s long: correct the range",
            )
        seek = origin + int(start_s / tick_s(stream)) if start_s > 0 else None
        return FrameRange(origin, start_s, end_s, seek, file_s)
    return _by_frames(video, container, stream, origin, file_s)


def _by_frames(
    video: VideoClip,
    container: InputContainer,
    stream: VideoStream,
    origin: int,
    file_s: float | None,
) -> FrameRange:
    start = video.start_frame or 0
    needed = (video.end_frame if video.end_frame is not None else start) + 1
    stamps: list[int] = []
    num_unstamped = 0
    for packet in container.demux(stream):
        if packet.size == 0 or packet.is_discard:
            continue
        if packet.pts is None:
            num_unstamped += 1
            if num_unstamped > _REORDERED:
                break
            continue
        stamps.append(packet.pts)
        if len(stamps) >= needed + _REORDERED:
            break
    container.seek(origin, stream=stream, backward=True)
    if num_unstamped:
        # Old AVI files: their frames have no times, so they are as regular as the rate says.
        interval = interval_s(stream)
        end_s = math.inf if video.end_frame is None else (video.end_frame - 0.5) * interval
        return FrameRange(origin, max(0.0, (start - 0.5) * interval), end_s, None, file_s)
    stamps.sort()
    if start >= len(stamps) or (video.end_frame or 0) > len(stamps) + _TOLERATED_FRAMES:
        wanted = start if start >= len(stamps) else video.end_frame
        raise ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} goes to frame {wanted}, its file {video.path} has "
            f"{len(stamps)}: correct the range",
        )
    tick = tick_s(stream)
    seconds = [(stamp - stamps[0]) * tick for stamp in stamps]
    is_open = video.end_frame is None or video.end_frame >= len(stamps)
    return FrameRange(
        origin_pts=stamps[0],
        start_s=seconds[start] - tick / 2,
        end_s=math.inf if is_open else seconds[video.end_frame or 0] - tick / 2,
        seek_pts=stamps[start] if start else None,
        file_s=None,
        promised_s=seconds[-1] if is_open else None,
    )


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the file says its pictures last.

    The container's own length counts only where it holds nothing but the pictures: sound often
    goes on after them.
    """
    if stream.duration:
        return stream.duration * tick_s(stream)
    if container.duration and len(container.streams) == 1:
        return container.duration / 1_000_000
    return None


def tick_s(stream: VideoStream) -> float:
    """Seconds that one unit of the stream's timestamps stands for."""
    return float(stream.time_base or _DEFAULT_TICK)


def interval_s(stream: VideoStream) -> float:
    """Seconds from frame to frame as the file states them."""
    return float(1 / (stream.average_rate or stream.guessed_rate or _DEFAULT_FPS))
