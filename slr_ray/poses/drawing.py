"""Pictures of pose sequences: a strip of skeletons for a page, an animation to watch a sign."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFont

from slr_ray.poses.clip import Clip
from slr_ray.poses.skeleton import BODY, BONES, LEFT_HAND, RIGHT_HAND

_BACKGROUND = (255, 255, 255)
_FRAME_LINE = (225, 225, 228)
_TEXT = (110, 110, 118)
_BODY_COLOUR = (70, 74, 84)
_LEFT_COLOUR = (0, 114, 178)
_RIGHT_COLOUR = (213, 94, 0)
_OVERSAMPLING = 3
_UNKNOWN_FPS = 15.0
_DEFAULT_ASPECT = 4 / 3
_MARGIN = 0.06
"""Free border around the joints, as a share of the picture."""


@dataclass(frozen=True)
class View:
    """What part of the image a drawing shows: a square, so that a skeleton keeps its proportions.

    `left` and `top` are fractions of the image, `width` and `height` too; with the camera's aspect
    ratio (unknown in a shard, 4:3 assumed) they are a square in pixels.
    """

    left: float
    top: float
    width: float
    height: float


def view_of(clip: Clip, aspect: float = _DEFAULT_ASPECT) -> View:
    """The smallest square around nearly all found joints of a clip.

    The outermost half percent at each side is left out: one wild detection would shrink the signer.
    """
    points = clip.positions[clip.confidence > 0]
    if not len(points):
        return View(0.0, 0.0, 1.0, 1.0)
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    centre = (low + high) / 2
    side = max(float(high[0] - low[0]) * aspect, float(high[1] - low[1]), 1e-3)
    side *= 1 + 2 * _MARGIN
    width = side / aspect
    return View(float(centre[0] - width / 2), float(centre[1] - side / 2), width, side)


def draw_skeleton(
    positions: Float32[np.ndarray, "54 2"],
    confidence: Float32[np.ndarray, " 54"],
    view: View,
    size: int = 240,
) -> Image.Image:
    """One frame as a `size` x `size` picture: body grey, left hand blue, right hand orange.

    Missing joints and their bones are left out; the less certain a joint, the paler it is.
    """
    large = size * _OVERSAMPLING
    image = Image.new("RGB", (large, large), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    corner, extent = np.array([view.left, view.top]), np.array([view.width, view.height])
    pixels = (positions - corner) / extent * large
    for first, second in BONES:
        sure = min(confidence[first], confidence[second])
        if sure > 0:
            is_body = first < BODY.stop
            width = max(1, round(large * (0.014 if is_body else 0.007)))
            ends = [tuple(pixels[first]), tuple(pixels[second])]
            draw.line(ends, fill=_shade(first, float(sure)), width=width)
    for joint in np.flatnonzero(confidence > 0):
        radius = large * (0.013 if joint < BODY.stop else 0.007)
        x, y = pixels[joint]
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius),
            fill=_shade(int(joint), float(confidence[joint])),
        )
    return image.resize((size, size), Image.Resampling.LANCZOS)


def draw_strip(clip: Clip, num_frames: int = 8, size: int = 240) -> Image.Image:
    """`num_frames` evenly spaced frames of a clip side by side, each with its number, from 0.

    Of a sentence with times, as many at most from the middle of a gloss each, with its name.
    """
    chosen = _shown(clip, num_frames)
    view = view_of(clip)
    caption = max(16, size // 12)
    strip = Image.new("RGB", (size * len(chosen), size + caption), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(size=caption - 3)
    for column, (frame, named) in enumerate(chosen.items()):
        skeleton = draw_skeleton(clip.positions[frame], clip.confidence[frame], view, size)
        strip.paste(skeleton, (column * size, 0))
        if column:
            draw.line(
                [(column * size, 0), (column * size, strip.height)], fill=_FRAME_LINE, width=1
            )
        draw.text((column * size + 6, size), named, fill=_TEXT, font=font)
    return strip


def _shown(clip: Clip, num_frames: int) -> dict[int, str]:
    """The frames of a strip, and what stands below each."""
    known = clip.sentence
    if known is None or known.times is None:
        spread = np.linspace(0, clip.num_frames - 1, num_frames).round().astype(int)
        return {frame: f"frame {frame}" for frame in spread.tolist()}
    last = len(known.glosses) - 1
    places = np.unique(np.linspace(0, last, num_frames).round().astype(int)).tolist()
    middles = {place: sum(known.times[place]) // 2 for place in places}
    return {frame: f"{frame}: {known.glosses[place]}" for place, frame in middles.items()}


def animation(clip: Clip, size: int = 240) -> bytes:
    """A clip as a looping GIF at its own speed; 15 frames a second where that is unknown."""
    view = view_of(clip)
    pictures = [
        draw_skeleton(positions, confidence, view, size).quantize(32)
        for positions, confidence in zip(clip.positions, clip.confidence, strict=True)
    ]
    return gif(pictures, clip.fps or _UNKNOWN_FPS)


def gif(pictures: list[Image.Image], fps: float) -> bytes:
    """Pictures as a looping GIF."""
    stream = io.BytesIO()
    pictures[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        # GIF counts hundredths of a second, and viewers slow down what is shorter than two.
        duration=max(20, round(1000 / fps)),
        loop=0,
    )
    return stream.getvalue()


def _shade(joint: int, confidence: float) -> tuple[int, int, int]:
    colour = _BODY_COLOUR
    if LEFT_HAND.start <= joint < LEFT_HAND.stop:
        colour = _LEFT_COLOUR
    elif RIGHT_HAND.start <= joint < RIGHT_HAND.stop:
        colour = _RIGHT_COLOUR
    strength = 0.35 + 0.65 * min(confidence, 1.0)
    red, green, blue = (round(channel * strength + 255 * (1 - strength)) for channel in colour)
    return red, green, blue
