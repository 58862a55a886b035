"""Frames of a video file: turned upright, in their range, at the wanted rate and size.

PyAV decodes, libswscale scales and converts in one pass. One frame is held at a time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from slr_ray.poses.extraction.source import ExtractionFailed, VideoClip, check_range
from slr_ray.poses.extraction.timeline import FrameRange, frame_range, interval_s, tick_s

_MISSING_SHARE = 0.05
_MISSING_S = 0.5
"""A file lacks its end where more than this share and this time of what it announces is missing."""


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
        raise _unreadable(path, OSError(0, "a folder, or no permission to read it"))
    if size == 0:
        raise ExtractionFailed("empty", f"{path} is empty (0 bytes): get it again")
    try:
        return av.open(path)
    except av.error.InvalidDataError as error:
        if _looks_like_video(path):
            raise _without_index(path) from None
        raise ExtractionFailed(
            "not_a_video",
            f"{path} is not a video that FFmpeg can read ({_reason(error)}): "
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


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


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
    """Decoded frames with their time, from the last key frame before the range on."""
    if wanted.seek_pts is not None:
        container.seek(wanted.seek_pts, stream=stream, backward=True)
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
                "unknown_codec", f"{path}: cannot decode its pictures ({_reason(error)})"
            ) from None
        for frame in frames:
            num_good += 1
            time_s = (
                time_s + interval if frame.pts is None else (frame.pts - wanted.origin_pts) * tick
            )
            yield time_s, frame
    if reading.num_damaged_packets > _MISSING_SHARE * (num_good + reading.num_damaged_packets):
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
