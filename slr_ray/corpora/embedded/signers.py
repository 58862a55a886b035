"""The embedded corpus's signers: body, manner of signing, and the posing of a whole skeleton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from slr_ray.corpora.embedded.hand import RELAXED, SHAPES, hand_joints
from slr_ray.corpora.embedded.signs import LOCATIONS, Sign, movement_path
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, MIRROR, NUM_JOINTS, RIGHT_HAND

_REST_TURN = np.array([2.9, 0.1, 1.5])
"""A hanging hand: fingers down, palm to the thigh."""

_SIGNING_DEPTH = 0.6
"""How far before the body the hands sign, in shoulder widths."""


@dataclass(frozen=True)
class Signer:
    """One person. Lengths in shoulder widths, durations in seconds, angles in radians."""

    fps: float
    speed: float
    """Factor on the pace of signs; 1 is ordinary."""
    amplitude: float
    """Factor on the size of movements."""
    slackness: float
    """0 = crisp hand shapes, 1 = hands that stay relaxed."""
    head_scale: float
    upper_arm: float
    forearm: float
    elbow_out: float
    """How far outward the elbow points; 0 = straight down."""
    hand_size: float
    rest_place: tuple[float, float]
    head_rest_s: float
    tail_rest_s: float
    reach_s: float
    """How long the hands take to rise."""
    place_habit: tuple[float, float]
    turn_habit: tuple[float, float, float]


def draw_signer(rng: np.random.Generator, idiosyncrasy: float) -> Signer:
    """A signer at random; `idiosyncrasy` scales how far habits lie from the citation form."""
    in_lap = rng.random() < 0.25
    rest = (-0.28, 1.35) if in_lap else (-0.62, 1.75)
    habit = idiosyncrasy * rng.normal(size=5)
    return Signer(
        fps=float(rng.choice([15.0, 20.0, 25.0, 30.0])),
        speed=float(np.exp(rng.normal(0, 0.18))),
        amplitude=float(np.exp(idiosyncrasy * rng.normal(0, 0.18))),
        slackness=float(min(0.9, idiosyncrasy * rng.uniform(0.0, 0.32))),
        head_scale=float(rng.normal(1.0, 0.08)),
        upper_arm=float(rng.uniform(0.85, 1.0)),
        forearm=float(rng.uniform(0.72, 0.85)),
        elbow_out=float(rng.uniform(0.2, 0.8)),
        hand_size=float(rng.uniform(0.46, 0.58)),
        rest_place=(rest[0] + float(rng.normal(0, 0.05)), rest[1] + float(rng.normal(0, 0.08))),
        head_rest_s=float(rng.uniform(0.0, 0.35)),
        tail_rest_s=float(rng.uniform(0.0, 0.30)),
        reach_s=float(rng.uniform(0.20, 0.32)),
        place_habit=(0.05 * float(habit[0]), 0.05 * float(habit[1])),
        turn_habit=(0.13 * float(habit[2]), 0.10 * float(habit[3]), 0.18 * float(habit[4])),
    )


@dataclass(frozen=True)
class Manner:
    """How one block of clips is performed, by frame where clips differ."""

    raised: Float[np.ndarray, " frames"]
    """0 = hands at rest, 1 = in the sign."""
    progress: Float[np.ndarray, " frames"]
    repeats: Float[np.ndarray, " frames"]
    amplitude: Float[np.ndarray, " frames"]
    place: Float[np.ndarray, "frames 2"]
    """Displacement of the whole sign."""
    turn: Float[np.ndarray, "frames 3"]
    shape: Float[np.ndarray, "frames 11"]
    """What is added to the hand shape."""
    sway: Float[np.ndarray, "frames 2"]
    """Displacement of the body, hands included."""


@dataclass(frozen=True)
class Posture:
    """What is asked of one arm, by frame, as if it were the right one."""

    raised: Float[np.ndarray, " frames"]
    """0 = the hand hangs at rest, 1 = it is as the other fields say."""
    place: Float[np.ndarray, "frames 2"]
    """Of the middle of the hand."""
    turn: Float[np.ndarray, "frames 3"]
    shape: Float[np.ndarray, "frames 11"]
    resting_shape: Float[np.ndarray, "frames 11"]


def posture(signer: Signer, sign: Sign, manner: Manner) -> Posture:
    """The dominant arm in a sign; in a sign of both hands, the other arm too."""
    location = LOCATIONS[sign.location]
    shift, turning = movement_path(sign.movement, manner.progress, manner.repeats)
    size = manner.amplitude[:, None]
    place = np.array(location.place) * [1.0, signer.head_scale] + signer.place_habit
    crisp = SHAPES[sign.shape] + manner.shape
    return Posture(
        raised=manner.raised,
        place=place + manner.place + size * shift,
        turn=np.array(location.turn) + signer.turn_habit + manner.turn + size * turning,
        shape=crisp + signer.slackness * (RELAXED - crisp),
        resting_shape=np.tile(RELAXED, (len(crisp), 1)) + 0.3 * manner.shape,
    )


def pose(
    signer: Signer, dominant: Posture, other: Posture, sway: Float[np.ndarray, "frames 2"]
) -> Float[np.ndarray, "frames 54 2"]:
    """The skeleton of a right-handed signer in shoulder widths, neck at the origin, y downward.

    `sway` displaces the whole body.
    """
    joints = np.zeros((len(sway), NUM_JOINTS, 2))
    head = signer.head_scale
    for name, x, y in (
        ("nose", 0.0, -0.62),
        ("neck", 0.0, 0.0),
        ("rightEye", -0.09, -0.73),
        ("leftEye", 0.09, -0.73),
        ("rightEar", -0.21, -0.67),
        ("leftEar", 0.21, -0.67),
    ):
        joints[:, INDEX[name]] = (head * x, head * y)
    joints[:, INDEX["rightShoulder"]] = (-0.5, 0.0)
    joints[:, INDEX["leftShoulder"]] = (0.5, 0.0)
    _put_arm(joints, signer, dominant)
    # The other arm is a right arm too, in the flipped picture.
    flipped = np.zeros_like(joints)
    flipped[:, INDEX["rightShoulder"]] = (-0.5, 0.0)
    _put_arm(flipped, signer, other)
    mirrored = flipped[:, MIRROR] * [-1.0, 1.0]
    for moved in (LEFT_HAND, INDEX["leftElbow"], INDEX["leftWrist"]):
        joints[:, moved] = mirrored[:, moved]
    return np.asarray(joints + sway[:, None])


def _put_arm(joints: np.ndarray, signer: Signer, asked: Posture) -> None:
    """Fill the right arm and hand in place."""
    up = asked.raised[:, None]
    pointing = np.stack([np.sin(asked.turn[:, 0]), -np.cos(asked.turn[:, 0])], axis=-1)
    reached = asked.place - 0.5 * signer.hand_size * np.cos(asked.turn[:, 1:2]) * pointing
    shape = asked.resting_shape + up * (asked.shape - asked.resting_shape)
    turn = _REST_TURN + up * (asked.turn - _REST_TURN)
    wrist = signer.rest_place + up * (reached - signer.rest_place)
    # Arms swing outward on the way: a straight line would cut through the body.
    wrist[:, 0] -= 0.18 * np.sin(np.pi * asked.raised)
    shoulder = joints[:, INDEX["rightShoulder"]]
    wrist, elbow = _bend(shoulder, wrist, _SIGNING_DEPTH * asked.raised, signer)
    joints[:, INDEX["rightElbow"]] = elbow
    joints[:, INDEX["rightWrist"]] = wrist
    joints[:, RIGHT_HAND] = wrist[:, None] + hand_joints(shape, turn, signer.hand_size)


def _bend(
    shoulder: np.ndarray, wrist: np.ndarray, depth: np.ndarray, signer: Signer
) -> tuple[np.ndarray, np.ndarray]:
    """The wrist pulled within reach, and the elbow: two-bone inverse kinematics in space.

    `depth` is how far the wrist is before the shoulder. Of all bends that reach it, the elbow takes
    the one that hangs, somewhat outward; the depth keeps that choice continuous.
    """
    span = np.empty((len(wrist), 3))
    span[:, :2], span[:, 2] = wrist - shoulder, depth
    distance = np.maximum(np.linalg.norm(span, axis=-1, keepdims=True), 1e-6)
    reach = 0.98 * (signer.upper_arm + signer.forearm)
    direction = span / distance
    distance = np.minimum(distance, reach)
    along = (signer.upper_arm**2 - signer.forearm**2 + distance**2) / (2 * distance)
    along = np.clip(along, -signer.upper_arm, signer.upper_arm)
    aside = np.sqrt(signer.upper_arm**2 - along**2)
    hanging = np.array([-signer.elbow_out, 1.0, -0.3])
    bend = hanging - (direction @ hanging)[:, None] * direction
    bend /= np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-6)
    elbow = along * direction + aside * bend
    return shoulder + (distance * direction)[:, :2], shoulder + elbow[:, :2]
