"""Geometry of hands as input: distances, directions and velocities that positions only imply.

Joints come first and frames last here (`frames` is that of all clips, one behind the other): what a
pair of joints has in every frame then lies together in memory, which is several times faster.

A network has to learn differences and square roots from thousands of clips; given them, hundreds
suffice. Ours, not published for SPOTER; distances and velocities were part of the winning models of
Google's Isolated Sign Language Recognition competition of 2023.
"""

from __future__ import annotations

from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.poses.batch import index_on
from slr_ray.poses.skeleton import (
    BONES,
    HAND_JOINTS,
    INDEX,
    JOINTS,
    LEFT_HAND,
    MIRROR,
    RIGHT_HAND,
)

_FINGERS = ("index", "middle", "ring", "little")
_OF_A_HAND = (
    "wrist",
    "thumbTip",
    *(f"{finger}Tip" for finger in _FINGERS),
    *(f"{finger}MCP" for finger in _FINGERS),
)
"""Fingertips, knuckles and wrist: every pair's distance tells the hand's shape."""
_REACHING = ("middleMCP", "thumbTip", "indexTip", "middleTip")
"""Where a hand touches: its palm and its foremost fingertips."""
_REACHED = ("nose", "neck", "leftEar", "rightEar", "leftShoulder", "rightShoulder")
NUM_REACHING, NUM_REACHED = len(_REACHING), len(_REACHED)
REACHED_MIRROR = tuple(_REACHED.index(JOINTS[MIRROR[INDEX[one]]]) for one in _REACHED)
"""Which of the places that a hand reaches each one becomes when left and right change."""
_HANDS = (LEFT_HAND, RIGHT_HAND)
_Ends = tuple[tuple[int, ...], tuple[int, ...]]
"""The first joint of every pair, and the second."""


def _ends(pairs: list[tuple[int, int]]) -> _Ends:
    first, second = zip(*pairs, strict=True)
    return first, second


def _pairs_within() -> list[tuple[int, int]]:
    return [
        (hand.start + HAND_JOINTS.index(one), hand.start + HAND_JOINTS.index(two))
        for hand in _HANDS
        for one, two in combinations(_OF_A_HAND, 2)
    ]


def _pairs_across() -> list[tuple[int, int]]:
    left, right = ([hand.start + HAND_JOINTS.index(one) for one in _REACHING] for hand in _HANDS)
    body = [INDEX[one] for one in _REACHED]
    return [
        *((one, two) for one in left for two in right),
        *((one, two) for one in (*left, *right) for two in body),
    ]


_WITHIN, _ACROSS = _ends(_pairs_within()), _ends(_pairs_across())
_HAND_BONES = _ends([pair for pair in BONES if pair[0] >= LEFT_HAND.start])
NUM_DISTANCES = len(_WITHIN[0]) + len(_ACROSS[0])
NUM_DIRECTIONS = 2 * len(_HAND_BONES[0])
_SHORTEST = 1e-6
LAGS = (1, 2)
"""Frames over which velocities are taken."""


def distances(
    joints: Float[Tensor, "54 2 frames"],
    found: Float[Tensor, "54 frames"],
    hand_sizes: Float[Tensor, "2 frames"],
) -> Float[Tensor, "distances frames"]:
    """How far apart joints are; 0 where one of them is missing (`found` 0, elsewhere 1).

    Within a hand every pair of fingertips, knuckles and wrist, in units of the hand (`hand_sizes`,
    left and right, in the joints' units; NaN where unknown, then 0). Then from hand to hand and
    from the hands to face and shoulders, in the joints' units.
    """
    within = _lengths(joints, found, _WITHIN)
    size = hand_sizes.nan_to_num(torch.inf)
    for hand, part in zip(size, within.chunk(2), strict=True):
        part.div_(hand)
    return torch.cat([within, _lengths(joints, found, _ACROSS)])


def directions(
    joints: Float[Tensor, "54 2 frames"], found: Float[Tensor, "54 frames"]
) -> Float[Tensor, "directions frames"]:
    """Unit vectors along the bones of both hands: all x, then all y; 0 where one end is missing."""
    x, y = _between(joints, _HAND_BONES)
    length = torch.addcmul(x * x, y, y).sqrt_().clamp_(min=_SHORTEST)
    known = _both(found, _HAND_BONES).div_(length)
    return torch.cat([x * known, y * known])


def velocities(
    joints: Float[Tensor, "54 2 clips frames"], found: Float[Tensor, "54 clips frames"]
) -> Float[Tensor, "velocities clips frames"]:
    """Each joint's way since one and two frames ago, in the joints' units a frame.

    0 where the joint is missing in either frame, and before the first.
    """
    moved = joints.new_zeros((len(LAGS), *joints.shape))
    for part, lag in zip(moved, LAGS, strict=True):
        if joints.shape[-1] > lag:
            both = found[..., lag:] * found[..., :-lag] / lag
            torch.sub(joints[..., lag:], joints[..., :-lag], out=part[..., lag:])
            part[..., lag:] *= both[:, None]
    return moved.flatten(0, 2)


def _lengths(
    joints: Float[Tensor, "54 2 frames"],
    found: Float[Tensor, "54 frames"],
    pairs: _Ends,
) -> Float[Tensor, "pairs frames"]:
    x, y = _between(joints, pairs)
    return torch.addcmul(x * x, y, y).sqrt_().mul_(_both(found, pairs))


def _between(
    joints: Float[Tensor, "54 2 frames"], pairs: _Ends
) -> tuple[Float[Tensor, "pairs frames"], Float[Tensor, "pairs frames"]]:
    first, second = index_on(joints.device, pairs).unbind(0)
    x, y = joints.unbind(1)
    return x[second] - x[first], y[second] - y[first]


def _both(found: Float[Tensor, "54 frames"], pairs: _Ends) -> Float[Tensor, "pairs frames"]:
    first, second = index_on(found.device, pairs).unbind(0)
    return found[first] * found[second]
