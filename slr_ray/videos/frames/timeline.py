"""From a clip's range to times and a place to seek to, without decoding."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from av.container import InputContainer
from av.video.stream import VideoStream

from slr_ray.videos.frames.container import interval_s, open_video, tick_s
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip

_REORDERED = 64
"""Packets come in decoding order; no frame is shown later than this many packets after its own."""
_CONTAINER_TICKS = 1_000_000
"""A second in the units of a container's own times."""
_TOLERATED_FRAMES = 15
"""By how many frames a range may end after its file: manifests round, and count from 1 or 0."""
_TOLERATED_INTERVAL = 0.25
"""By what share of a frame's time a range in seconds may begin or end after a frame and still mean
it: files and manifests round."""
_WITHOUT_LENGTH = ("mpeg", "mpegts")
"""Containers that state no length: FFmpeg guesses one from the last packets, often too short."""


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
    frame rate and reads but does not decode. Both ends of a range in seconds are taken a quarter of
    a frame early: a frame at 1/30 s may be stamped 0.033 s or written as 0.0334 s. Raises
    `ExtractionFailed` of kind range_beyond_end where a range of frames begins after the file; of
    one in seconds only the frames can tell, as stated lengths may be wrong.
    """
    origin = stream.start_time or 0
    file_s = _duration_s(container, stream)
    if video.start_frame is None and video.end_frame is None:
        start_s, end_s = video.start_s or 0.0, math.inf if video.end_s is None else video.end_s
        early_s = _TOLERATED_INTERVAL * _shortest_interval_s(stream)
        start_s, end_s = max(0.0, start_s - early_s), end_s - early_s
        seek = origin + int(start_s / tick_s(stream)) if start_s > 0 else None
        wanted = FrameRange(origin, start_s, end_s, seek, file_s)
    else:
        wanted = _by_frames(video, origin, file_s)
    # In MPEG program streams, frames get the times of others after seeking.
    return replace(wanted, seek_pts=None) if container.format.name == "mpeg" else wanted


def _by_frames(video: VideoClip, origin: int, file_s: float | None) -> FrameRange:
    start = video.start_frame or 0
    needed = (video.end_frame if video.end_frame is not None else start) + 1
    # Opened for itself: what was read can't be unread where a container has no index.
    with open_video(video.path) as (container, stream):
        stamps, num_unstamped = _stamps(container, stream, needed + _REORDERED)
        interval, tick = interval_s(stream), tick_s(stream)
    if num_unstamped:
        # Old AVI files: their frames have no times, so they are as regular as the rate says.
        end_s = math.inf if video.end_frame is None else (video.end_frame - 0.5) * interval
        return FrameRange(origin, max(0.0, (start - 0.5) * interval), end_s, None, file_s)
    if start >= len(stamps) or (video.end_frame or 0) > len(stamps) + _TOLERATED_FRAMES:
        wanted = start if start >= len(stamps) else video.end_frame
        raise ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} goes to frame {wanted}, its file {video.path} has "
            f"{len(stamps)}: correct the range",
        )
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


def _stamps(container: InputContainer, stream: VideoStream, most: int) -> tuple[list[int], int]:
    """Timestamps of up to `most` packets, sorted, and how many packets have none."""
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
        if len(stamps) >= most:
            break
    return sorted(stamps), num_unstamped


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the file says its pictures last.

    The container's own length counts only where it holds nothing but the pictures: sound often
    goes on after them.
    """
    if container.format.name in _WITHOUT_LENGTH:
        return None
    if stream.duration:
        return stream.duration * tick_s(stream)
    if container.duration and len(container.streams) == 1:
        # Matroska states when the last frame ends, others how long the pictures last.
        is_end = "matroska" in container.format.name
        start = (container.start_time or 0) if is_end else 0
        return (container.duration - start) / _CONTAINER_TICKS
    return None


def _shortest_interval_s(stream: VideoStream) -> float:
    """As `interval_s`, but where the rate varies the highest counts, not the mean."""
    guessed = stream.guessed_rate
    return min(interval_s(stream), float(1 / guessed)) if guessed else interval_s(stream)
