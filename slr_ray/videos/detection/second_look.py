"""Where to look again for a hand that the pose promises and the hand landmarker did not find.

It searches the whole picture at 192 x 192 pixels, so that small and touching hands escape it. A
square around the wrist, as MediaPipe Holistic takes it, shows them larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from slr_ray.poses.landmarks import POSE_LANDMARKS
from slr_ray.videos.detection.hands import NUM_SIDES, Hand, is_same_hand

_WRISTS = (POSE_LANDMARKS["leftWrist"], POSE_LANDMARKS["rightWrist"])
_KNUCKLES = ((17, 19), (18, 20))
"""MediaPipe's landmarks of the little finger's and the index finger's knuckle, left and right."""
_MIN_VISIBILITY = 0.5
_EXPLAINED = 0.35
"""A hand within this many shoulder widths of a wrist is taken for that wrist's."""
_SIDE = 1.0
"""Side of the square in shoulder widths."""


@dataclass(frozen=True)
class Box:
    """A part of the picture, in whole pixels; the end is excluded."""

    left: int
    top: int
    right: int
    bottom: int


def no_wrist_inside(pose: Float32[np.ndarray, "33 2"]) -> bool:
    """Whether the pose has both wrists outside the picture: no use searching for hands."""
    wrists = pose[list(_WRISTS)]
    return not bool(((wrists >= 0) & (wrists <= 1)).all(axis=1).any())


def boxes_to_search(
    pose: Float32[np.ndarray, "33 2"],
    visibility: Float32[np.ndarray, " 33"],
    hands: Sequence[Hand],
    width: int,
    height: int,
) -> list[Box]:
    """A box for each wrist that is seen in the picture and that no found hand belongs to."""
    pixels = pose * np.array([width, height])
    left, right = POSE_LANDMARKS["leftShoulder"], POSE_LANDMARKS["rightShoulder"]
    shoulders = float(np.linalg.norm(pixels[left] - pixels[right]))
    if shoulders < 1:
        return []
    places = [hand.positions[0] * np.array([width, height]) for hand in hands]
    boxes = []
    for side in _unexplained([pixels[one] for one in _WRISTS], places, _EXPLAINED * shoulders):
        x, y = pose[_WRISTS[side]]
        if visibility[_WRISTS[side]] < _MIN_VISIBILITY or not (0 <= x <= 1 and 0 <= y <= 1):
            continue
        centre = pixels[list(_KNUCKLES[side])].mean(axis=0)
        low = np.maximum(np.floor(centre - _SIDE / 2 * shoulders), 0)
        high = np.minimum(np.ceil(centre + _SIDE / 2 * shoulders), [width, height])
        if (high - low).min() >= 16:
            boxes.append(Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    return boxes


def _unexplained(
    wrists: Sequence[Float[np.ndarray, " 2"]],
    places: Sequence[Float[np.ndarray, " 2"]],
    reach: float,
) -> list[int]:
    """Sides left over when each hand has taken the nearest free wrist within reach."""
    gaps = sorted(
        (float(np.linalg.norm(wrists[side] - place)), side, index)
        for side in range(NUM_SIDES)
        for index, place in enumerate(places)
    )
    taken: dict[int, int] = {}
    for gap, side, index in gaps:
        if gap <= reach and side not in taken and index not in taken.values():
            taken[side] = index
    return [side for side in range(NUM_SIDES) if side not in taken]


def added(
    hands: Sequence[Hand], found: Sequence[Hand], box: Box, width: int, height: int
) -> list[Hand]:
    """`hands` and those found in the box, in the picture's coordinates, that are none of them."""
    origin = np.array([box.left, box.top])
    extent = np.array([box.right - box.left, box.bottom - box.top])
    size = np.array([width, height])
    together = list(hands)
    for hand in found:
        positions = ((hand.positions * extent + origin) / size).astype(np.float32)
        if not any(is_same_hand(positions * size, one.positions * size) for one in together):
            together.append(Hand(positions, hand.left_probability))
    return together
