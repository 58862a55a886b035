"""The embedded corpus's camera and landmark detector: framing, noise and drop-outs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.poses.skeleton import BODY, INDEX, LEFT_HAND, MIRROR, RIGHT_HAND

_HANDS = (LEFT_HAND, RIGHT_HAND)
_BODY_STEADINESS = 0.3
"""Noise of body joints beside that of hand joints: detectors smooth the body over time."""
_EARS = [INDEX["leftEar"], INDEX["rightEar"]]
_ELBOWS = [INDEX["leftElbow"], INDEX["rightElbow"]]


@dataclass(frozen=True)
class Camera:
    """How one signer is filmed and detected."""

    shoulder_width: float
    """Of the picture's width: how near the signer sits."""
    neck: tuple[float, float]
    """Fractions of the picture's width and height."""
    aspect: float
    """Picture width over height."""
    roll: float
    """Tilt of the camera, radians."""
    side: float
    """Widths appear times this: 1 = filmed from the front, less from the side."""
    flipped: bool
    """The dominant hand appears as the left one: left-handed, or a mirrored camera; not both."""
    drop_out: float
    """Factor on the hazard of losing a hand."""
    has_ears: bool
    has_elbows: bool


def draw_camera(
    rng: np.random.Generator, *, flipped: bool, has_ears: bool, has_elbows: bool
) -> Camera:
    """A camera at random: mostly webcams at 4:3 or 16:9, some phones upright."""
    aspect = float(rng.choice([4 / 3, 16 / 9, 1.0, 9 / 16], p=[0.5, 0.35, 0.1, 0.05]))
    # Nearness is about the picture's height for people who sit before a screen.
    width = float(rng.uniform(0.24, 0.44)) * (4 / 3) / max(aspect, 1.0)
    return Camera(
        shoulder_width=width,
        neck=(float(rng.normal(0.5, 0.05)), float(rng.uniform(0.52, 0.70))),
        aspect=aspect,
        roll=float(rng.normal(0, 0.04)),
        side=float(rng.uniform(0.82, 1.0)),
        flipped=flipped,
        drop_out=float(np.exp(rng.normal(0, 0.7))),
        has_ears=has_ears,
        has_elbows=has_elbows,
    )


def film(
    skeleton: Float[np.ndarray, "frames 54 2"],
    clip: Int[np.ndarray, " frames"],
    fps: float,
    camera: Camera,
    jitter: float,
    drop_out_per_s: float,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "frames 54 2"], Float[np.ndarray, "frames 54"]]:
    """What a detector reports: positions in fractions of the picture, and confidence.

    `skeleton` is in shoulder widths about the neck; `clip` numbers the clip that each frame is of,
    ascending. `jitter` is the detector's noise in shoulder widths on a still hand joint; it
    grows with speed. `drop_out_per_s` is the hazard of losing a slow hand in free view.
    """
    if camera.flipped:
        skeleton = skeleton[:, MIRROR] * [-1.0, 1.0]
    first = np.concatenate([[True], clip[1:] != clip[:-1]])
    speed = _speed(skeleton, first, fps)
    noise = rng.normal(size=skeleton.shape).astype(np.float32)
    noise[:, BODY] *= _BODY_STEADINESS
    seen = skeleton + jitter * (1 + 0.5 * np.minimum(speed, 6.0))[..., None] * noise

    seen = seen * [camera.side, 1.0]
    cos, sin = np.cos(camera.roll), np.sin(camera.roll)
    seen = seen @ np.array([[cos, sin], [-sin, cos]])
    scale = camera.shoulder_width / camera.side
    positions = seen * [scale, scale * camera.aspect] + camera.neck

    confidence = _certainty(positions, speed, rng)
    for hand in _HANDS:
        lost = _lost_hand(skeleton, positions, speed, hand, first, fps, camera, drop_out_per_s, rng)
        confidence[lost, hand] = 0
    if not camera.has_ears:
        confidence[:, _EARS] = 0
    if not camera.has_elbows:
        confidence[:, _ELBOWS] = 0
    positions[confidence == 0] = 0
    return positions, confidence


def _speed(skeleton: np.ndarray, first: np.ndarray, fps: float) -> np.ndarray:
    """Frames x joints, in shoulder widths a second."""
    step = np.zeros_like(skeleton)
    step[1:] = skeleton[1:] - skeleton[:-1]
    step[first] = 0
    return np.asarray(np.sqrt(step[..., 0] ** 2 + step[..., 1] ** 2) * fps)


def _certainty(positions: np.ndarray, speed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Confidence of joints that are found, in the steps of 1/128 that real exports show.

    Body joints outside the picture are guessed by the detector, with little confidence.
    """
    outside = np.maximum(np.abs(positions - 0.5).max(axis=-1) - 0.5, 0.0)
    certain = 1.0 - 0.05 * np.minimum(speed, 6.0) - np.minimum(4.0 * outside, 0.95)
    certain -= 0.04 * rng.random(certain.shape, np.float32)
    return np.asarray(np.clip(np.round(certain * 128), 1, 128) / 128)


def _lost_hand(
    skeleton: np.ndarray,
    positions: np.ndarray,
    speed: np.ndarray,
    hand: slice,
    first: np.ndarray,
    fps: float,
    camera: Camera,
    drop_out_per_s: float,
    rng: np.random.Generator,
) -> Bool[np.ndarray, " frames"]:
    """Frames without this hand: out of the picture, or lost for a stretch of frames.

    Hands get lost sooner when fast, before the face, and where the other hand is near.
    """
    middle = hand.start + 12
    other = (RIGHT_HAND if hand == LEFT_HAND else LEFT_HAND).start + 12
    before_face = np.linalg.norm(skeleton[:, middle] - skeleton[:, INDEX["nose"]], axis=-1) < 0.4
    crossing = np.linalg.norm(skeleton[:, middle] - skeleton[:, other], axis=-1) < 0.35
    pace = np.minimum(speed[:, hand].mean(axis=-1), 8.0)
    hazard = camera.drop_out * drop_out_per_s * (1 + pace + 2.0 * before_face + 3.0 * crossing)
    starts = rng.random(len(pace)) < 1 - np.exp(-hazard / fps)
    frame = np.arange(len(pace))
    lasting = rng.geometric(1 / (1 + 0.12 * fps), len(pace))
    until = np.maximum.accumulate(np.where(starts, frame + lasting, 0))
    # A stretch ends with its clip: it may not run into the next one.
    began = np.maximum.accumulate(np.where(first, frame, 0))
    started_here = np.maximum.accumulate(np.where(starts, frame, -1)) >= began
    centre = positions[:, middle]
    outside = (np.abs(centre - 0.5) > 0.52).any(axis=-1)
    return np.asarray(outside | ((until > frame) & started_here))
