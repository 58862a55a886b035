"""Landmarks of MediaPipe Holistic and OpenPose hands as our 54 joints."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from slr_ray.poses.skeleton import BODY_JOINTS, INDEX, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

NUM_POSE_LANDMARKS = 33
NUM_HAND_LANDMARKS = 21

POSE_LANDMARKS: dict[str, int] = {
    "nose": 0,
    "leftEye": 2,
    "rightEye": 5,
    "leftEar": 7,
    "rightEar": 8,
    "leftShoulder": 11,
    "rightShoulder": 12,
    "leftElbow": 13,
    "rightElbow": 14,
    "leftWrist": 15,
    "rightWrist": 16,
}
"""Our body joints in MediaPipe's 33 pose landmarks; `neck` has none."""

HAND_LANDMARKS: tuple[int, ...] = (
    0,
    *(4 * finger + part for finger in (1, 2, 3, 4) for part in (4, 3, 2, 1)),
    *(4, 3, 2, 1),
)
"""Our 21 joints of a hand in the order of MediaPipe and OpenPose.

They run wrist, thumb from its base to its tip, index from its base to its tip, and so on; SPOTER
has the thumb last and every finger from its tip to its base.
"""


def joints_from_holistic(
    pose: Float[np.ndarray, "frames 33 2"],
    pose_confidence: Float[np.ndarray, "frames 33"],
    left_hand: Float[np.ndarray, "frames 21 2"],
    left_confidence: Float[np.ndarray, "frames 21"],
    right_hand: Float[np.ndarray, "frames 21 2"],
    right_confidence: Float[np.ndarray, "frames 21"],
) -> tuple[Float32[np.ndarray, "frames 54 2"], Float32[np.ndarray, "frames 54"]]:
    """Positions and confidence of our joints, in the coordinates of the landmarks.

    Confidence 0 marks a missing landmark, whatever its position says (NaN is usual); its joint
    comes back as (0, 0).
    """
    body = {
        joint: (pose[:, landmark], pose_confidence[:, landmark])
        for joint, landmark in POSE_LANDMARKS.items()
    }
    return assemble(body, (left_hand, left_confidence), (right_hand, right_confidence))


def assemble(
    body: dict[str, tuple[np.ndarray, np.ndarray]],
    left_hand: tuple[np.ndarray, np.ndarray],
    right_hand: tuple[np.ndarray, np.ndarray],
) -> tuple[Float32[np.ndarray, "frames 54 2"], Float32[np.ndarray, "frames 54"]]:
    """Our joints from named body joints and two hands in MediaPipe's order.

    Each is a pair of positions (frames x 2, hands frames x 21 x 2) and confidence (frames, hands
    frames x 21). Body joints that `body` lacks are missing, except the neck: without one it is the
    midpoint of the shoulders, as sure as the less certain of the two.
    """
    frames = len(left_hand[0])
    positions = np.zeros((frames, NUM_JOINTS, 2), np.float32)
    confidence = np.zeros((frames, NUM_JOINTS), np.float32)
    for joint in BODY_JOINTS:
        if joint in body:
            positions[:, INDEX[joint]], confidence[:, INDEX[joint]] = body[joint]
    for where, hand in ((LEFT_HAND, left_hand), (RIGHT_HAND, right_hand)):
        positions[:, where] = hand[0][:, HAND_LANDMARKS]
        confidence[:, where] = hand[1][:, HAND_LANDMARKS]
    if "neck" not in body:
        shoulders = [INDEX["leftShoulder"], INDEX["rightShoulder"]]
        positions[:, INDEX["neck"]] = positions[:, shoulders].mean(axis=1)
        confidence[:, INDEX["neck"]] = confidence[:, shoulders].min(axis=1)
    positions[confidence <= 0] = 0
    return positions, confidence
