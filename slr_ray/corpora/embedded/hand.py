"""The embedded corpus's hand: 21 joints from how far the fingers are bent, spread and turned.

A hand shape is a vector of 11 numbers: the flexion of the four finger bases, of the four middle
joints, the spread between fingers, and how far the thumb stands out and bends (all in radians).
Lengths are in hand lengths (wrist to the tip of a straight middle finger).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_FOLDED = (1.45, 1.75)
"""Flexion of a finger folded into the fist: at its base and at its middle joint."""


def _shape(
    bases: tuple[float, float, float, float],
    middles: tuple[float, float, float, float],
    spread: float,
    thumb: tuple[float, float],
) -> np.ndarray:
    return np.array([*bases, *middles, spread, *thumb])


def _pointing(straight: str, spread: float, thumb: tuple[float, float]) -> np.ndarray:
    """A fist from which the named fingers (i, m, r, l) stand out."""
    bases = [0.05 if finger in straight else _FOLDED[0] for finger in "imrl"]
    middles = [0.05 if finger in straight else _FOLDED[1] for finger in "imrl"]
    return np.array([*bases, *middles, spread, *thumb])


SHAPES: dict[str, np.ndarray] = {
    "flat": _shape((0.05,) * 4, (0.05,) * 4, 0.03, (0.25, 0.1)),
    "fist": _pointing("", 0.0, (0.5, 1.2)),
    "index": _pointing("i", 0.0, (0.4, 1.2)),
    "five": _shape((0.05,) * 4, (0.05,) * 4, 0.35, (0.95, 0.0)),
    "ily": _pointing("il", 0.2, (1.1, 0.0)),
    "vee": _pointing("im", 0.3, (0.4, 1.2)),
    "claw": _shape((0.3,) * 4, (1.0,) * 4, 0.3, (0.8, 0.6)),
    "cup": _shape((0.65,) * 4, (0.6,) * 4, 0.05, (0.9, 0.5)),
    "ell": _pointing("i", 0.0, (1.3, 0.0)),
    "thumb": _pointing("", 0.0, (0.2, 0.0)),
}
RELAXED = _shape((0.35, 0.4, 0.45, 0.5), (0.4, 0.45, 0.5, 0.55), 0.1, (0.45, 0.35))

# Index, middle, ring, little: where the knuckles are, seen from the wrist, and how long the bones.
_KNUCKLE_ANGLE = np.array([0.24, 0.06, -0.12, -0.30])
_KNUCKLE_DISTANCE = np.array([0.52, 0.50, 0.47, 0.44])
_FAN = np.array([1.2, 0.3, -0.5, -1.4])
_BONES = np.array([[0.24, 0.27, 0.25, 0.20], [0.15, 0.17, 0.16, 0.12], [0.11, 0.12, 0.12, 0.10]])
_THUMB_BASE = (0.13, 0.95)
_THUMB_BONES = (0.20, 0.17, 0.13)


def hand_joints(
    shape: Float[np.ndarray, "frames 11"],
    turn: Float[np.ndarray, "frames 3"],
    size: float,
) -> Float[np.ndarray, "frames 21 2"]:
    """A right hand's joints beside its wrist as a camera sees them, y downward, `size` long.

    `turn` holds angles in radians: in the picture (0 = fingers up, positive towards the picture's
    right), towards the camera, and about the forearm (0 = palm to the camera, pi/2 = palm to the
    picture's right, pi = palm to the signer). The projection is orthographic.
    """
    inside = _in_hand_axes(shape)
    sway, tilt, twist = turn.T
    zero = np.zeros_like(sway)
    forward = np.stack([np.sin(sway) * np.cos(tilt), -np.cos(sway) * np.cos(tilt)], axis=-1)
    across = np.stack([np.cos(sway), np.sin(sway), zero], axis=-1)[:, :2]
    facing = np.stack([-np.sin(sway) * np.sin(tilt), np.cos(sway) * np.sin(tilt)], axis=-1)
    cos, sin = np.cos(twist)[:, None], np.sin(twist)[:, None]
    axes = np.stack([forward, cos * across - sin * facing, sin * across + cos * facing], axis=1)
    return np.asarray(size * (inside @ axes))


def _in_hand_axes(shape: np.ndarray) -> np.ndarray:
    """Joints along (fingers, thumb side, out of the palm), in HAND_JOINTS order."""
    frames = len(shape)
    joints = np.zeros((frames, 21, 3))
    bases, middles, spread = shape[:, 0:4], shape[:, 4:8], shape[:, 8:9]
    fan = 0.4 * _KNUCKLE_ANGLE + spread * _FAN
    place = np.zeros((frames, 4, 3))
    place[..., 0] = _KNUCKLE_DISTANCE * np.cos(_KNUCKLE_ANGLE)
    place[..., 1] = _KNUCKLE_DISTANCE * np.sin(_KNUCKLE_ANGLE)
    joints[:, 4:17:4] = place
    along, aside = np.cos(fan), np.sin(fan)
    # The last joint bends along with the middle one, as a tendon makes it.
    for bone, bend in enumerate((bases, bases + middles, bases + 1.6 * middles)):
        reach = np.cos(bend)
        step = np.stack([reach * along, reach * aside, np.sin(bend)], axis=-1)
        place = place + _BONES[bone][:, None] * step
        joints[:, 3 - bone : 17 - bone : 4] = place
    out, fold = shape[:, 9], shape[:, 10]
    distance, angle = _THUMB_BASE
    thumb = np.tile([distance * np.cos(angle), distance * np.sin(angle), 0.02], (frames, 1))
    joints[:, 20] = thumb
    for bone, length in enumerate(_THUMB_BONES):
        aim, lift = out - 0.55 * bone * fold, 0.15 + 0.35 * fold
        step = np.stack(
            [np.cos(lift) * np.cos(aim), np.cos(lift) * np.sin(aim), np.sin(lift)], axis=-1
        )
        thumb = thumb + length * step
        joints[:, 19 - bone] = thumb
    return joints
