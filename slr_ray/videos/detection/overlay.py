"""The skeleton drawn over the frames that it was extracted from."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont

from slr_ray.poses.clip import Clip
from slr_ray.poses.drawing import gif
from slr_ray.poses.skeleton import BODY, BONES, LEFT_HAND
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip
from slr_ray.videos.frames.video import Reading, read_frames

_BODY_COLOUR = (64, 224, 96)
_LEFT_COLOUR = (40, 150, 255)
_RIGHT_COLOUR = (255, 120, 0)
_UNSURE = 0.5
"""Joints of less confidence are drawn thin; interpolated ones too."""
_SHEET_FRAMES = 12
_SHEET_COLUMNS = 4
_SHEET_WIDTH = 440
_MOVING_WIDTH = 360
_MOST_MOVING_FRAMES = 240
_UNKNOWN_FPS = 15.0


@dataclass(frozen=True)
class Overlay:
    """Two pictures of one clip over its video."""

    sheet: bytes
    """PNG: frames spread evenly over the clip, each with its number, from 0."""
    animation: bytes
    """GIF at the clip's own speed."""


def draw_overlay(clip: Clip, video: VideoClip, target_fps: float | None = None) -> Overlay:
    """Both pictures; `target_fps` as at extraction, so that frames and poses go together.

    Streams the video; of long clips the animation shows every second frame, third, and so on.
    Raises `ExtractionFailed` where the video can't be read or is shorter than the clip.
    """
    last = clip.num_frames - 1
    chosen = set(np.linspace(0, last, min(_SHEET_FRAMES, clip.num_frames)).round().astype(int))
    stride = -(-clip.num_frames // _MOST_MOVING_FRAMES)
    cells: list[Image.Image] = []
    moving: list[Image.Image] = []
    num_seen = 0
    for index, image in enumerate(_frames(clip, video, target_fps)):
        num_seen += 1
        pose = clip.positions[index], clip.confidence[index]
        if index in chosen:
            cells.append(_captioned(draw_over(image, *pose, width=_SHEET_WIDTH), index))
        if index % stride == 0:
            moving.append(draw_over(image, *pose, width=_MOVING_WIDTH).quantize(96))
    if num_seen < clip.num_frames:
        raise ExtractionFailed(
            "range_beyond_end",
            f"{video.path} gives {num_seen} frames, clip {clip.clip_id!r} has {clip.num_frames}: "
            "it is another video, or was changed",
        )
    return Overlay(_sheet(cells), gif(moving, (clip.fps or _UNKNOWN_FPS) / stride))


def draw_over(
    image: UInt8[np.ndarray, "height width 3"],
    positions: Float32[np.ndarray, "54 2"],
    confidence: Float32[np.ndarray, " 54"],
    width: int,
) -> Image.Image:
    """One frame, `width` pixels wide, with its joints: body green, left hand blue, right orange."""
    scale = width / image.shape[1]
    drawn = Image.fromarray(image).resize((width, max(1, round(image.shape[0] * scale))))
    draw = ImageDraw.Draw(drawn)
    points = positions * [drawn.width, drawn.height]
    for first, second in BONES:
        sure = min(confidence[first], confidence[second])
        if sure > 0:
            ends = [tuple(points[first]), tuple(points[second])]
            draw.line(ends, fill=_colour(first), width=2 if sure >= _UNSURE else 1)
    for joint in np.flatnonzero(confidence > 0):
        x, y = points[joint]
        radius = 2.5 if joint < BODY.stop else 1.5
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(int(joint)))
    return drawn


def _frames(
    clip: Clip, video: VideoClip, target_fps: float | None
) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """The picture behind each frame of the clip."""
    num_given = 0
    for frame, repeats in read_frames(
        video, Reading(), target_fps=target_fps, longest_side_px=2 * _SHEET_WIDTH
    ):
        for _ in range(repeats):
            if num_given == clip.num_frames:
                return
            num_given += 1
            yield frame.image


def _captioned(picture: Image.Image, frame: int) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 74, 17), fill=(0, 0, 0))
    draw.text((4, 1), f"frame {frame}", fill=(255, 255, 255), font=ImageFont.load_default(size=13))
    return picture


def _sheet(cells: list[Image.Image]) -> bytes:
    columns = min(_SHEET_COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    width, height = cells[0].size
    sheet = Image.new("RGB", (columns * width, rows * height), (255, 255, 255))
    for position, cell in enumerate(cells):
        sheet.paste(cell, (position % columns * width, position // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, format="PNG")
    return stream.getvalue()


def _colour(joint: int) -> tuple[int, int, int]:
    if joint < BODY.stop:
        return _BODY_COLOUR
    return _LEFT_COLOUR if joint < LEFT_HAND.stop else _RIGHT_COLOUR
