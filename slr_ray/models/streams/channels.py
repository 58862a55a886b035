"""Which channels of a signing space tell of which part of the body."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.poses.geometry import LAGS, NUM_DISTANCES, NUM_REACHED, NUM_REACHING, REACHED_MIRROR
from slr_ray.poses.normalisation import SigningSpace, num_channels
from slr_ray.poses.skeleton import BODY, HAND_JOINTS, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

PARTS = ("right_hand", "left_hand", "body")
INPUT = SigningSpace(distances=True, directions=True, velocities=True)
"""The normalisation whose channels are told apart."""
INPUT_CHANNELS = num_channels(INPUT)

_WRIST = HAND_JOINTS.index("wrist")
_NUM_BODY, _NUM_HAND = BODY.stop - BODY.start, len(HAND_JOINTS)
_NUM_BONES = _NUM_HAND - 1
_NUM_ACROSS = NUM_REACHING * NUM_REACHING
_NUM_TO_BODY = NUM_REACHING * NUM_REACHED
_NUM_WITHIN = (NUM_DISTANCES - _NUM_ACROSS) // 2 - _NUM_TO_BODY

# Where each block of `poses.normalisation.features` begins.
_SHAPE = 2 * NUM_JOINTS
_FLAGS = _SHAPE + 2 * 2 * _NUM_HAND
_WITHIN = _FLAGS + _NUM_BODY + 2
_ACROSS = _WITHIN + 2 * _NUM_WITHIN
_TO_BODY = _ACROSS + _NUM_ACROSS
_DIRECTIONS = _WITHIN + NUM_DISTANCES
_VELOCITIES = _DIRECTIONS + 2 * 2 * _NUM_BONES

Signed = list[tuple[int, float]]
"""Channels, each with the sign that it is read with."""


def part_channels() -> dict[str, Signed]:
    """The channels of each of `PARTS`; the left hand's mirrored, in the order of the right one's.

    A hand: where its wrist is, its shape, whether it was found, the distances within it and to
    face and shoulders, the directions of its bones and how its joints move. The body: its twelve
    joints, whether they were found, how they move, and how far apart the hands are. Where a hand's
    other joints are is left to its shape. Mirrored, a left hand reads as a right hand does that
    does the same on the other side.
    """
    body: Signed = [*_joints(range(_NUM_BODY), 0), *_as_they_are(_FLAGS, _NUM_BODY)]
    body += _as_they_are(_ACROSS, _NUM_ACROSS)
    for lag in range(len(LAGS)):
        body += _joints(range(_NUM_BODY), _VELOCITIES + lag * 2 * NUM_JOINTS)
    return {"right_hand": _hand(1), "left_hand": _hand(0), "body": body}


def _hand(number: int) -> Signed:
    """Of the left (0) or the right hand (1)."""
    own = (LEFT_HAND, RIGHT_HAND)[number]
    joints, side = range(own.start, own.stop), 1.0 if number else -1.0
    found = _joints([own.start + _WRIST], 0, side)
    found += _joints(range(_NUM_HAND), _SHAPE + number * 2 * _NUM_HAND, side)
    found += _as_they_are(_FLAGS + _NUM_BODY + number, 1)
    found += _as_they_are(_WITHIN + number * _NUM_WITHIN, _NUM_WITHIN)
    reached = range(NUM_REACHED) if number else REACHED_MIRROR
    first = _TO_BODY + number * _NUM_TO_BODY
    for finger in range(NUM_REACHING):
        found += [(first + finger * NUM_REACHED + one, 1.0) for one in reached]
    bones = [_DIRECTIONS + number * _NUM_BONES + bone for bone in range(_NUM_BONES)]
    found += [(one, side) for one in bones] + [(one + 2 * _NUM_BONES, 1.0) for one in bones]
    for lag in range(len(LAGS)):
        found += _joints(joints, _VELOCITIES + lag * 2 * NUM_JOINTS, side)
    return found


def _joints(joints: Sequence[int], start: int, side: float = 1.0) -> Signed:
    """x and y of joints in a block that has them in turn; x with the sign of its side."""
    return [
        pair for one in joints for pair in ((start + 2 * one, side), (start + 2 * one + 1, 1.0))
    ]


def _as_they_are(start: int, count: int) -> Signed:
    return [(channel, 1.0) for channel in range(start, start + count)]
