"""Which detected hand is the signer's left one, which the right, and which is nobody's.

The hand landmarker gives up to two hands a frame in no order, each with a label that is wrong
now and then; it may find one hand twice, exchange two that cross, or find somebody else's. The pose
says where the signer's wrists are, but lags in quick movements and guesses wrists it can't see. So
the whole clip is decided at once: the cheapest sequence of assignments (Viterbi, Forney, Proc. IEEE
61, 1973), where an assignment costs the more, the farther a hand is from the wrist of its side, the
less its label fits, the farther it jumped since the frame before, and where leaving a hand out
costs a fixed amount.

Left and right are those of the pose network: in a mirrored video both are the other way round, and
a hand must go with its arm.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

NUM_SIDES = 2
LEFT, RIGHT = 0, 1
NOBODY = -1

_NEARBY = 0.35
"""Distance from a wrist to its pose wrist, in shoulder widths, that costs 1."""
_MAX_DISTANCE = 0.7
_MAX_DISTANCE_UNSEEN = 1.0
"""Beyond this many shoulder widths from the pose's wrist a hand is no hand of this side.

Of 1,609 hands in 24 real videos none was more than 0.5 away, but for a hand seen in a face."""
_JUMP = 0.5
"""Movement in shoulder widths from frame to frame that costs 1."""
_LEAVE_OUT = 4.0
"""Less than a hand costs whose label is wrong and that is farther off than hands ever are."""
_SAME_HAND = 0.25
"""Two detections are one hand where their landmarks lie this close, in sizes of the hand."""
_PALM_PER_SHOULDERS = 0.3
"""Wrist to middle knuckle over shoulder width: the scale where there is no pose."""
_MIDDLE_KNUCKLE = 9


@dataclass(frozen=True)
class Hand:
    """One detected hand: 21 positions, and how likely it is a left one by its looks."""

    positions: Float32[np.ndarray, "21 2"]
    left_probability: float


def assign_hands(
    hands: Sequence[Sequence[Hand]],
    wrists: Float[np.ndarray, "frames 2 2"],
    wrist_confidence: Float[np.ndarray, "frames 2"],
    shoulder_width: Float[np.ndarray, " frames"],
    aspect: float,
) -> list[tuple[int, int]]:
    """For every frame the index of the left and of the right hand among its hands, or NOBODY.

    `wrists` are the pose's left and right wrist as fractions of the image, with confidence 0 where
    the frame has no pose; `shoulder_width` is in image heights, 0 where unknown; `aspect` is the
    image's width over its height.
    """
    if not hands:
        return []
    stretch = np.array([aspect, 1.0])
    scales = _scales(hands, shoulder_width, stretch)
    is_trusted = _label_reliability(hands, wrists, wrist_confidence, scales, stretch)
    options: list[list[tuple[int, int]]] = []
    costs: list[np.ndarray] = []
    steps: list[np.ndarray] = []
    for frame, found in enumerate(hands):
        points = [hand.positions * stretch for hand in found]
        sides = np.array(
            [
                [
                    _distance_cost(
                        points[hand][0],
                        wrists[frame, side] * stretch,
                        float(wrist_confidence[frame, side]),
                        float(scales[frame]),
                    )
                    + _label_cost(found[hand].left_probability, side, is_trusted)
                    for side in range(NUM_SIDES)
                ]
                for hand in range(len(found))
            ]
        ).reshape(len(found), NUM_SIDES)
        twins = _twins(points)
        choice = [
            (left, right)
            for left, right in itertools.product(range(NOBODY, len(found)), repeat=2)
            if NOBODY in (left, right) or (left != right and not twins[left, right])
        ]
        unary = np.array(
            [
                sum(sides[hand, side] for side, hand in enumerate(pair) if hand != NOBODY)
                + _LEAVE_OUT * (len(found) - sum(hand != NOBODY for hand in pair))
                for pair in choice
            ]
        )
        if frame:
            before = [hand.positions * stretch for hand in hands[frame - 1]]
            steps.append(_jumps(options[-1], before, choice, points, float(scales[frame])))
        options.append(choice)
        costs.append(unary)
    best = _cheapest(costs, steps)
    return [choice[index] for choice, index in zip(options, best, strict=True)]


def _scales(
    hands: Sequence[Sequence[Hand]],
    shoulder_width: Float[np.ndarray, " frames"],
    stretch: Float[np.ndarray, " 2"],
) -> Float[np.ndarray, " frames"]:
    """Shoulder width of each frame in image heights; the clip's median where it is not seen.

    A signer who turns aside seems narrow, so that no frame takes less than the median's two thirds.
    """
    known = shoulder_width[shoulder_width > 0]
    if len(known):
        median = float(np.median(known))
        return np.maximum(np.where(shoulder_width > 0, shoulder_width, median), median * 2 / 3)
    palms = [
        float(np.linalg.norm((hand.positions[_MIDDLE_KNUCKLE] - hand.positions[0]) * stretch))
        for found in hands
        for hand in found
    ]
    width = float(np.median(palms)) / _PALM_PER_SHOULDERS if palms else 1.0
    return np.full(len(hands), max(width, 1e-6))


def _label_reliability(
    hands: Sequence[Sequence[Hand]],
    wrists: Float[np.ndarray, "frames 2 2"],
    wrist_confidence: Float[np.ndarray, "frames 2"],
    scales: Float[np.ndarray, " frames"],
    stretch: Float[np.ndarray, " 2"],
) -> float:
    """How often in this clip a hand's label names the pose wrist that it plainly belongs to.

    Between 0.05 and 0.95, and 0.9 before anything is known. Below a half labels are the wrong way
    round in this clip, and count so.
    """
    right, total = 9.0, 10.0
    for frame, found in enumerate(hands):
        if wrist_confidence[frame].min() <= 0.5:
            continue
        for hand in found:
            gaps = np.linalg.norm((hand.positions[0] - wrists[frame]) * stretch, axis=1)
            gaps = gaps / scales[frame]
            near = int(gaps.argmin())
            if gaps[near] < _NEARBY and gaps[1 - near] > 2 * _NEARBY:
                agreed = hand.left_probability if near == LEFT else 1 - hand.left_probability
                right += agreed
                total += 1
    return float(np.clip(right / total, 0.05, 0.95))


def _distance_cost(
    wrist: Float[np.ndarray, " 2"],
    pose_wrist: Float[np.ndarray, " 2"],
    confidence: float,
    scale: float,
) -> float:
    """Quadratic near the wrist, linear beyond, forbidding where the pose sees the wrist elsewhere.

    A wrist that the pose does not see says little about where it is.
    """
    if confidence <= 0:
        return 0.5
    distance = float(np.linalg.norm(wrist - pose_wrist)) / scale
    if distance > (_MAX_DISTANCE if confidence > 0.5 else _MAX_DISTANCE_UNSEEN):
        return 3 * _LEAVE_OUT
    ratio = distance / _NEARBY
    cost = ratio**2 if ratio < 1 else 2 * ratio - 1
    return cost * (0.3 + 0.7 * min(confidence, 1.0))


def _label_cost(left_probability: float, side: int, reliability: float) -> float:
    """Negative logarithm of the chance that a hand of this side gets such a label."""
    fits = left_probability if side == LEFT else 1 - left_probability
    chance = fits * reliability + (1 - fits) * (1 - reliability)
    return float(-np.log(max(chance, 0.02)))


def _twins(points: list[np.ndarray]) -> Bool[np.ndarray, "hands hands"]:
    """Which detections are one and the same hand."""
    twins = np.zeros((len(points), len(points)), bool)
    for first, second in itertools.combinations(range(len(points)), 2):
        twins[first, second] = twins[second, first] = is_same_hand(points[first], points[second])
    return twins


def is_same_hand(first: Float[np.ndarray, "21 2"], second: Float[np.ndarray, "21 2"]) -> bool:
    """Whether two detections, in coordinates of one scale for x and y, are one hand."""
    size = max(float(np.ptp(one, axis=0).max()) for one in (first, second))
    return float(np.linalg.norm(first - second, axis=1).mean()) < _SAME_HAND * size


def _jumps(
    before: list[tuple[int, int]],
    points_before: list[np.ndarray],
    after: list[tuple[int, int]],
    points_after: list[np.ndarray],
    scale: float,
) -> Float[np.ndarray, "before after"]:
    """Cost of going from each assignment of a frame to each of the next."""
    cost = np.zeros((len(before), len(after)))
    for row, old in enumerate(before):
        for column, new in enumerate(after):
            for side in range(NUM_SIDES):
                if old[side] != NOBODY and new[side] != NOBODY:
                    moved = points_after[new[side]].mean(0) - points_before[old[side]].mean(0)
                    cost[row, column] += min(float(np.linalg.norm(moved)) / scale / _JUMP, 4.0)
    return cost


def _cheapest(costs: list[np.ndarray], steps: list[np.ndarray]) -> list[int]:
    """Index of the option in every frame along the path of least cost (Viterbi)."""
    total = costs[0]
    came_from: list[np.ndarray] = []
    for step, cost in zip(steps, costs[1:], strict=True):
        through = total[:, None] + step
        came_from.append(through.argmin(axis=0))
        total = through.min(axis=0) + cost
    path = [int(total.argmin())]
    for origins in reversed(came_from):
        path.append(int(origins[path[-1]]))
    return path[::-1]
