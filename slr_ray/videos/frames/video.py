"""Frames of a video: turned upright, in their range, at the wanted rate and size.

PyAV decodes, libswscale scales and converts in one pass. One frame is held at a time. A folder of
pictures is a video too; see `pictures`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from jaxtyping import UInt8

from slr_ray.videos.frames.completeness import check_complete, check_share
from slr_ray.videos.frames.container import interval_s, open_video, reason_of, tick_s
from slr_ray.videos.frames.orientation import upright
from slr_ray.videos.frames.pictures import (
    is_picture_folder,
    picture_sequence,
    read_picture,
    without_rate,
)
from slr_ray.videos.frames.resampling import resampled
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip, check_range
from slr_ray.videos.frames.timeline import FrameRange, frame_range
from slr_ray.videos.frames.undecoded import Undecoded

_USUAL_FPS = 25.0
_EARLIER_S = (0.0, 2.0, 10.0)
"""How far before a range to seek, one after another, until a frame before the range is met."""


@dataclass(frozen=True)
class Frame:
    """One picture, upright, with square pixels."""

    time_s: float
    """Since the first frame of the file; of pictures without a rate, at a usual one."""
    image: UInt8[np.ndarray, "height width 3"]


@dataclass
class Reading:
    """What was met while reading, up to the frame that was given last."""

    num_source_frames: int = 0
    """Frames in the range, before the rate was changed."""
    num_damaged_packets: int = 0
    num_undecoded_frames: int = 0
    """Pictures in the range that the file holds and that gave no frame, damaged packets aside; of a
    folder of pictures, those that are not there."""
    source_fps: float = 0.0
    """Mean rate of the frames so far; 0 while fewer than two are known."""
    times_s: list[float] = field(default_factory=list)
    """Of those frames, since the file's first; none of pictures, which have no times."""

    @property
    def drift_s(self) -> float:
        """How far a frame lies at most from where the mean rate has it; 0 of an even rate."""
        if not self.source_fps or not self.times_s:
            return 0.0
        even = self.times_s[0] + np.arange(len(self.times_s)) / self.source_fps
        return float(np.abs(np.array(self.times_s) - even).max())


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
    if is_picture_folder(video.path):
        yield from _of_pictures(video, reading, target_fps, longest_side_px)
        return
    check_range(video)
    with open_video(video.path) as (container, stream):
        # What a pixel is wide for each that it is high; old digital camcorders have oblong ones.
        aspect = float(stream.sample_aspect_ratio or 1)
        kept = _in_range(video, container, stream, reading)
        due = ((*one, 1) for one in kept) if target_fps is None else resampled(kept, target_fps)
        for time_s, raw, repeats in due:
            yield Frame(time_s, _upright(raw, aspect, longest_side_px)), repeats


def _of_pictures(
    video: VideoClip, reading: Reading, target_fps: float | None, longest_side_px: int | None
) -> Iterator[tuple[Frame, int]]:
    if target_fps is not None and video.fps is None:
        raise without_rate(video, "target_fps is set")
    images = _pictures(video, reading, longest_side_px)
    due = ((*one, 1) for one in images) if target_fps is None else resampled(images, target_fps)
    for time_s, image, repeats in due:
        yield Frame(time_s, image), repeats


def _pictures(
    video: VideoClip, reading: Reading, longest_side_px: int | None
) -> Iterator[tuple[float, UInt8[np.ndarray, "height width 3"]]]:
    found = picture_sequence(video)
    reading.num_undecoded_frames = found.num_missing
    reading.source_fps = video.fps or 0.0
    shape = None
    for path, frame in zip(found.files, found.frames, strict=True):
        image = read_picture(path, longest_side_px)
        if image is None:
            reading.num_damaged_packets += 1
            continue
        if image.shape != (shape := shape or image.shape):
            raise ExtractionFailed(
                "not_a_video",
                f"{video.path} holds pictures of different sizes ({path.name} is another than "
                "those before it): one folder is one clip",
            )
        reading.num_source_frames += 1
        yield frame / (video.fps or _USUAL_FPS), image
    check_share(video.path, reading.num_damaged_packets, reading.num_source_frames)


def _in_range(
    video: VideoClip, container: InputContainer, stream: VideoStream, reading: Reading
) -> Iterator[tuple[float, av.VideoFrame]]:
    wanted = frame_range(video, container, stream)
    first = found_s = -math.inf
    for time_s, frame in _decoded(video.path, container, stream, wanted, reading):
        if time_s >= wanted.end_s:
            break
        if time_s >= wanted.start_s:
            if reading.num_source_frames == 0:
                first = time_s
            reading.num_source_frames += 1
            reading.times_s.append(time_s)
            if time_s > first:
                reading.source_fps = (reading.num_source_frames - 1) / (time_s - first)
            yield time_s, frame
        # A last picture may be shown for seconds, as those of loops are.
        shown_s = max(interval_s(stream), (frame.duration or 0) * tick_s(stream))
        found_s = max(found_s, time_s + shown_s)
    else:
        check_complete(video, wanted, found_s)
    if reading.num_source_frames == 0:
        raise _without_frame(video, wanted, found_s)


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
        try:
            container.seek(target, stream=stream, backward=True)
        except av.error.FFmpegError:
            continue
        frames = _timed(path, container, stream, wanted, reading)
        first = next(frames, None)
        if first is not None and _is_before(first, wanted, tick):
            yield first
            yield from frames
            return
        reading.num_damaged_packets = reading.num_undecoded_frames = 0
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
    """Frames from where the container stands, with their time; what gives none is counted."""
    interval, tick = interval_s(stream), tick_s(stream)
    time_s = -interval
    num_good = num_refused = 0
    undecoded = Undecoded(wanted, tick)
    for packet in container.demux(stream):
        undecoded.sent(packet)
        # Of a packet that lacks bytes the decoder may make a picture all the same.
        reading.num_damaged_packets += packet.is_corrupt
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            undecoded.refused(packet)
            num_refused += 1
            reading.num_damaged_packets += not packet.is_corrupt
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
            reading.num_undecoded_frames += undecoded.came(frame)
            yield time_s, frame
    reading.num_undecoded_frames += undecoded.left()
    # Not even one good frame: seeking may have ended behind the last key frame.
    if num_good:
        check_share(path, num_refused, num_good)


def _without_frame(video: VideoClip, wanted: FrameRange, found_s: float) -> ExtractionFailed:
    if wanted.start_s > 0 and math.isfinite(found_s):
        return ExtractionFailed(
            "range_beyond_end",
            f"clip {video.clip_id!r} starts at {wanted.start_s:.2f} s, the last frame of its file "
            f"{video.path} ends at {found_s:.2f} s: correct the range",
        )
    return ExtractionFailed(
        "truncated", f"{video.path} has no frame that can be decoded: get it again"
    )


def _upright(
    frame: av.VideoFrame, aspect: float, longest_side_px: int | None
) -> UInt8[np.ndarray, "height width 3"]:
    """RGB with square pixels, at most `longest_side_px` long, as players show it."""
    width, height = frame.width * aspect, float(frame.height)
    scale = min(1.0, longest_side_px / max(width, height)) if longest_side_px else 1.0
    image = frame.to_ndarray(
        format="rgb24", width=max(2, round(width * scale)), height=max(2, round(height * scale))
    )
    # Contiguous: rows of odd widths are padded, and MediaPipe reads over the padding silently.
    return np.ascontiguousarray(upright(image, frame))
