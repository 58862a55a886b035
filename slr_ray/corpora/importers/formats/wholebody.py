"""Whole-body skeletons of COCO's kind as our joints: 133 points (COCO-WholeBody), 136 (Halpe).

COCO-WholeBody (Jin et al., ECCV 2020; order after the README of jin-s13/COCO-WholeBody and
`configs/_base_/datasets/coco_wholebody.py` of mmpose): 0-16 body, 17-22 feet, 23-90 face, 91-111
left hand, 112-132 right hand. Halpe full body (README of Fang-Haoshu/Halpe-FullBody), which
AlphaPose gives too: 0-16 the same body, 17-25 head, neck, hip and feet, 26-93 face, 94-114 left
hand, 115-135 right hand. Hands run as MediaPipe's do: wrist, then thumb to little finger, each from
its base to its tip.
"""

from __future__ import annotations

import numpy as np

from slr_ray.corpora.importers.missing import Landmarks
from slr_ray.poses.landmarks import NUM_HAND_LANDMARKS, assemble

BODY = {
    "nose": 0,
    "leftEye": 1,
    "rightEye": 2,
    "leftEar": 3,
    "rightEar": 4,
    "leftShoulder": 5,
    "rightShoulder": 6,
    "leftElbow": 7,
    "rightElbow": 8,
    "leftWrist": 9,
    "rightWrist": 10,
}
"""Our body joints among COCO's 17 points; COCO has no neck."""
_HALPE_NECK = 18
HANDS = {133: (91, 112), 136: (94, 115)}
"""Where the left and the right hand begin, by the number of points."""


def joints(positions: np.ndarray, confidence: np.ndarray) -> Landmarks:
    """Our joints from frames x 133 or 136 points."""
    num_points = confidence.shape[1]
    body = {joint: (positions[:, point], confidence[:, point]) for joint, point in BODY.items()}
    if num_points == 136:
        body["neck"] = (positions[:, _HALPE_NECK], confidence[:, _HALPE_NECK])
    left, right = (slice(start, start + NUM_HAND_LANDMARKS) for start in HANDS[num_points])
    return assemble(
        body,
        (positions[:, left], confidence[:, left]),
        (positions[:, right], confidence[:, right]),
    )
