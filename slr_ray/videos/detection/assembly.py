"""From what the landmarkers saw, frame by frame, to the 54 joints of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from slr_ray.poses.landmarks import (
    NUM_HAND_LANDMARKS,
    NUM_POSE_LANDMARKS,
    POSE_LANDMARKS,
    joints_from_holistic,
)
from slr_ray.videos.detection.hands import LEFT, NOBODY, RIGHT, Hand, assign_hands
from slr_ray.videos.detection.smoothing import LEAST_CONFIDENCE


@dataclass(frozen=True)
class FrameLandmarks:
    """What the landmarkers see in one frame; positions are fractions of the image."""

    pose: Float32[np.ndarray, "33 2"] | None
    pose_confidence: Float32[np.ndarray, " 33"] | None
    """The landmarks' visibility."""
    hands: tuple[Hand, ...]


@dataclass(frozen=True)
class Assembled:
    positions: Float32[np.ndarray, "frames 54 2"]
    confidence: Float32[np.ndarray, "frames 54"]
    has_pose: Bool[np.ndarray, " frames"]
    has_hand: Bool[np.ndarray, "frames 2"]
    """Left and right."""
    num_unassigned_hands: int


def assemble_clip(landmarks: Sequence[FrameLandmarks], aspect: float) -> Assembled:
    """The joints of all frames of a clip; `aspect` is the image's width over its height.

    A body joint's confidence is its visibility, at least LEAST_CONFIDENCE; a hand's is 1 where it
    was found, as the hand landmarker gives none for its joints.
    """
    pose, pose_confidence = _pose_arrays(landmarks)
    hands = [one.hands for one in landmarks]
    left, right = POSE_LANDMARKS["leftShoulder"], POSE_LANDMARKS["rightShoulder"]
    shoulders = (pose[:, left] - pose[:, right]) * [aspect, 1.0]
    wrists = [POSE_LANDMARKS["leftWrist"], POSE_LANDMARKS["rightWrist"]]
    chosen = assign_hands(
        hands,
        pose[:, wrists].astype(np.float64),
        pose_confidence[:, wrists].astype(np.float64),
        np.linalg.norm(shoulders, axis=1) * (pose_confidence[:, left] > 0),
        aspect,
    )
    sides = [_hand_arrays(hands, [pair[side] for pair in chosen]) for side in (LEFT, RIGHT)]
    positions, confidence = joints_from_holistic(pose, pose_confidence, *sides[0], *sides[1])
    has_hand = np.stack([found.any(axis=1) for _, found in sides], axis=1)
    return Assembled(
        positions,
        confidence,
        has_pose=np.asarray((pose_confidence > 0).any(axis=1)),
        has_hand=has_hand,
        num_unassigned_hands=sum(map(len, hands)) - int(has_hand.sum()),
    )


def _pose_arrays(
    landmarks: Sequence[FrameLandmarks],
) -> tuple[Float32[np.ndarray, "frames 33 2"], Float32[np.ndarray, "frames 33"]]:
    positions = np.zeros((len(landmarks), NUM_POSE_LANDMARKS, 2), np.float32)
    confidence = np.zeros((len(landmarks), NUM_POSE_LANDMARKS), np.float32)
    for frame, one in enumerate(landmarks):
        if one.pose is not None and one.pose_confidence is not None:
            positions[frame] = one.pose
            confidence[frame] = one.pose_confidence.clip(LEAST_CONFIDENCE, 1)
    return positions, confidence


def _hand_arrays(
    hands: Sequence[Sequence[Hand]], chosen: Sequence[int]
) -> tuple[Float32[np.ndarray, "frames 21 2"], Float32[np.ndarray, "frames 21"]]:
    positions = np.zeros((len(hands), NUM_HAND_LANDMARKS, 2), np.float32)
    confidence = np.zeros((len(hands), NUM_HAND_LANDMARKS), np.float32)
    for frame, (found, index) in enumerate(zip(hands, chosen, strict=True)):
        if index != NOBODY:
            positions[frame] = found[index].positions
            confidence[frame] = 1
    return positions, confidence
