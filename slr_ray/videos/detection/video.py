"""Frames of a video file: turned upright, in their range, at the wanted rate and size.

PyAV decodes, libswscale scales and converts in one pass. One frame is held at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from slr_ray.videos.detection.container import interval_s, open_video, reason_of, tick_s
from slr_ray.videos.detection.source import ExtractionFailed, VideoClip, check_range
from slr_ray.videos.detection.timeline import FrameRange, frame_range

_MISSING_SHARE = 0.05
_MISSING_S = 0.5
"""A file lacks its end where more than this share and this time of what it announces is missing."""
_EARLIER_S = (0.0, 2.0, 10.0)
"""How far before a range to seek, one after another, until a frame before the range is met."""


@dataclass(frozen=True)
class Frame:
    """One picture, upright, with square pixels."""

    time_s: float
    """Since the first frame of the file."""
    image: UInt8[np.ndarray, "height width 3"]


@dataclass
class Reading:
    """What was met while reading, up to the frame that was given last."""

    num_source_frames: int = 0
    """Frames in the range, before the rate was changed."""
    num_damaged_packets: int = 0
    source_fps: float = 0.0
    """Mean rate of the frames so far; 0 while fewer than two are known."""


def read_frames(
    video: VideoClip,
    reading: Reading,
    *,
    target_fps: float | None = None,
    longest_side_px: int | None = None,
) -> Iterator[tuple[Frame, int]]:
    """The clip's frames in order, each with how many frames of the result it stands for.

    Without `target_fps` that number is 1. With it, the result has a frame every 1 / target_fps s
    from the first one on, and each takes the source frame next to it in time; where the source is
    slower, one frame stands for several. Raises `ExtractionFailed`.
    """
    check_range(video)
    with open_video(video.path) as (container, stream):
        # What a pixel is wide for each that it is high; old digital camcorders have oblong ones.
        aspect = float(stream.sample_aspect_ratio or 1)
        kept = _in_range(video, container, stream, reading)
        due = ((*one, 1) for one in kept) if target_fps is None else _resampled(kept, target_fps)
        for time_s, raw, repeats in due:
            yield Frame(time_s, _upright(raw, aspect, longest_side_px)), repeats


def _in_range(
    video: VideoClip, container: InputContainer, stream: VideoStream, reading: Reading
) -> Iterator[tuple[float, av.VideoFrame]]:
    wanted = frame_range(video, container, stream)
    first = last = -math.inf
    for time_s, frame in _decoded(video.path, container, stream, wanted, reading):
        if time_s >= wanted.end_s:
            break
        if time_s >= wanted.start_s:
            if reading.num_source_frames == 0:
                first = time_s
            reading.num_source_frames += 1
            if time_s > first:
                reading.source_fps = (reading.num_source_frames - 1) / (time_s - first)
            yield time_s, frame
        last = max(last, time_s)
    else:
        _check_complete(video, stream, wanted, last)
    if reading.num_source_frames == 0:
        raise ExtractionFailed(
            "range_beyond_end" if wanted.start_s > 0 else "truncated",
            f"{video.path} has no frame "
            + (f"from {wanted.start_s:.2f} s on" if wanted.start_s > 0 else "that can be decoded"),
        )


def _decoded(
    path: str,
    container: InputContainer,
    stream: VideoStream,
    wanted: FrameRange,
    reading: Reading,
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decoded frames with their time, from the last key frame before the range on.

    MPEG transport streams have no index: seeking may land behind the range. An earlier place is
    then tried, and at last the file is opened again and decoded from its first frame on.
    """
    if wanted.seek_pts is None:
        yield from _timed(path, container, stream, wanted, reading)
        return
    tick = tick_s(stream)
    for earlier_s in _EARLIER_S:
        target = max(wanted.origin_pts, wanted.seek_pts - round(earlier_s / tick))
        container.seek(target, stream=stream, backward=True)
        frames = _timed(path, container, stream, wanted, reading)
        first = next(frames, None)
        if first is not None and _is_before(first, wanted, tick):
            yield first
            yield from frames
            return
        reading.num_damaged_packets = 0
    with open_video(path) as (container, stream):
        yield from _timed(path, container, stream, wanted, reading)


def _is_before(first: tuple[float, av.VideoFrame], wanted: FrameRange, tick: float) -> bool:
    """Whether the first frame after seeking is the range's first, or one before it."""
    time_s, frame = first
    # Without a timestamp, a frame's time is counted from where reading began.
    return frame.pts is not None and time_s <= wanted.start_s + tick


def _timed(
    path: str,
    container: InputContainer,
    stream: VideoStream,
    wanted: FrameRange,
    reading: Reading,
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames from where the container stands, with their time; damaged packets are counted."""
    interval, tick = interval_s(stream), tick_s(stream)
    time_s = -interval
    num_good = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            reading.num_damaged_packets += 1
            continue
        except av.error.FFmpegError as error:
            raise ExtractionFailed(
                "unknown_codec", f"{path}: cannot decode its pictures ({reason_of(error)})"
            ) from None
        for frame in frames:
            num_good += 1
            time_s = (
                time_s + interval if frame.pts is None else (frame.pts - wanted.origin_pts) * tick
            )
            yield time_s, frame
    share = reading.num_damaged_packets / max(1, num_good + reading.num_damaged_packets)
    # Not even one good frame: seeking may have ended behind the last key frame.
    if num_good and share > _MISSING_SHARE:
        raise ExtractionFailed(
            "truncated",
            f"{path}: {reading.num_damaged_packets} of "
            f"{num_good + reading.num_damaged_packets} pictures can't be decoded: it breaks off or "
            "is damaged, get it again",
        )


def _check_complete(
    video: VideoClip, stream: VideoStream, wanted: FrameRange, last_s: float
) -> None:
    """The file ended before the range did: was there less than it, or the range, promised?"""
    found_s = last_s + interval_s(stream)
    for promised_s in (wanted.file_s, wanted.promised_s):
        if promised_s is None:
            continue
        missing_s = promised_s - found_s
        if missing_s > max(_MISSING_S, _MISSING_SHARE * promised_s):
            raise ExtractionFailed(
                "truncated",
                f"{video.path} breaks off after {max(found_s, 0):.2f} of {promised_s:.2f} s: get "
                "it again",
            )
    if math.isfinite(wanted.end_s) and wanted.end_s - found_s > _MISSING_S:
        raise ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} ends at {wanted.end_s:.2f} s, its file {video.path} at "
            f"{found_s:.2f} s: correct the range",
        )


def _resampled(
    frames: Iterator[tuple[float, av.VideoFrame]], target_fps: float
) -> Iterator[tuple[float, av.VideoFrame, int]]:
    start = None
    num_given = 0
    held: tuple[float, av.VideoFrame] | None = None
    for time_s, frame in frames:
        if start is None:
            start = time_s
        if held is not None:
            # The held frame is the nearest to all instants up to the middle of the two.
            middle = (held[0] + time_s) / 2 - start
            due = max(num_given, math.ceil(middle * target_fps - 1e-6))
            if due > num_given:
                yield (*held, due - num_given)
                num_given = due
        held = (time_s, frame)
    if held is not None and start is not None:
        due = math.floor((held[0] - start) * target_fps + 1e-6) + 1
        if due > num_given:
            yield (*held, due - num_given)


def _upright(
    frame: av.VideoFrame, aspect: float, longest_side_px: int | None
) -> UInt8[np.ndarray, "height width 3"]:
    """RGB with square pixels, at most `longest_side_px` long, turned as the file says."""
    width, height = frame.width * aspect, float(frame.height)
    scale = min(1.0, longest_side_px / max(width, height)) if longest_side_px else 1.0
    image = frame.to_ndarray(
        format="rgb24", width=max(2, round(width * scale)), height=max(2, round(height * scale))
    )
    quarter_turns = round(frame.rotation / 90) % 4
    # Contiguous: rows of odd widths are padded, and MediaPipe reads over the padding silently.
    return np.ascontiguousarray(np.rot90(image, quarter_turns))
