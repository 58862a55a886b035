"""MediaPipe's pose and hand landmarkers on the frames of one clip after another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import mediapipe
import numpy as np
from jaxtyping import UInt8
from mediapipe.tasks.python import BaseOptions, vision

from slr_ray.poses.landmarks import NUM_HAND_LANDMARKS, NUM_POSE_LANDMARKS
from slr_ray.videos.detection.assembly import FrameLandmarks
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.hands import Hand
from slr_ray.videos.detection.models import Models
from slr_ray.videos.detection.quiet import without_chatter
from slr_ray.videos.detection.second_look import added, boxes_to_search, no_wrist_inside

_NUM_HANDS = 2
_MIN_STEP_MS = 1
_BLANK = np.zeros((64, 64, 3), np.uint8)


class Landmarkers:
    """The pair of landmarkers, in VIDEO mode: they follow a person from frame to frame.

    Every clip gets a new pair, which takes about 0.1 s. Going on with the old one after blank
    pictures and a leap in time is quicker, but the pose landmarker's smoothing of visibility
    survives that, and one clip's confidence would leak into the next.
    """

    def __init__(self, config: ExtractionConfig, models: Models) -> None:
        base = {
            "min_tracking_confidence": config.tracking_confidence,
            "running_mode": vision.RunningMode.VIDEO,
        }
        self._pose_options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(models.pose)),
            min_pose_detection_confidence=config.detection_confidence,
            min_pose_presence_confidence=config.presence_confidence,
            **base,
        )
        self._hand_options = vision.HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(models.hand)),
            num_hands=_NUM_HANDS,
            min_hand_detection_confidence=config.detection_confidence,
            min_hand_presence_confidence=config.presence_confidence,
            **base,
        )
        self._skips_hands_outside = config.skip_hands_outside
        self._closer = None
        if config.second_look:
            # Pictures on their own: no state, so one does for all clips.
            alone = dataclasses.replace(
                self._hand_options, running_mode=vision.RunningMode.IMAGE, result_callback=None
            )
            with without_chatter():
                self._closer = vision.HandLandmarker.create_from_options(alone)
                self._closer.detect(_image(_BLANK))
        self._create()

    def _create(self) -> None:
        with without_chatter():
            self._pose = vision.PoseLandmarker.create_from_options(self._pose_options)
            self._hands = vision.HandLandmarker.create_from_options(self._hand_options)
            # The rest of what they have to say comes with the first picture. Nobody is in this one.
            self._last_ms = 0
            blank = _image(_BLANK)
            self._pose.detect_for_video(blank, 0)
            self._hands.detect_for_video(blank, 0)

    def start_clip(self) -> None:
        """Forget what was seen; times start from 0 again."""
        if self._last_ms > 0:
            self._close_pair()
            self._create()

    def look(self, image: UInt8[np.ndarray, "height width 3"], time_s: float) -> FrameLandmarks:
        """Landmarks of the next frame of the clip; `time_s` should grow from frame to frame."""
        if not image.flags.c_contiguous:
            raise ValueError("MediaPipe would misread an image whose rows are padded")
        # The landmarkers refuse a time that does not grow, and some files hold such frames.
        time_ms = max(round(time_s * 1000), self._last_ms + _MIN_STEP_MS)
        self._last_ms = time_ms
        whole = _image(image)
        pose = self._pose.detect_for_video(whole, time_ms)
        found = None
        confidence = None
        if pose.pose_landmarks:
            person = pose.pose_landmarks[0]
            found = np.array([(one.x, one.y) for one in person], np.float32)
            confidence = np.array([one.visibility for one in person], np.float32)
            assert found.shape == (NUM_POSE_LANDMARKS, 2)
        if self._skips_hands_outside and found is not None and no_wrist_inside(found):
            return FrameLandmarks(found, confidence, ())
        seen = _hands(self._hands.detect_for_video(whole, time_ms))
        if self._closer is not None and found is not None and confidence is not None:
            height, width = image.shape[:2]
            for box in boxes_to_search(found, confidence, seen, width, height):
                part = np.ascontiguousarray(image[box.top : box.bottom, box.left : box.right])
                again = _hands(self._closer.detect(_image(part)))
                seen = added(seen, again, box, width, height)
        return FrameLandmarks(found, confidence, tuple(seen))

    def close(self) -> None:
        """Needed before Python ends: mediapipe's own clean-up at exit prints tracebacks."""
        self._close_pair()
        if self._closer is not None:
            self._closer.close()

    def _close_pair(self) -> None:
        self._pose.close()
        self._hands.close()


def _image(pixels: UInt8[np.ndarray, "height width 3"]) -> mediapipe.Image:
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)


def _hands(result: vision.HandLandmarkerResult) -> list[Hand]:
    return [
        _hand(points, labels[0])
        for points, labels in zip(result.hand_landmarks, result.handedness, strict=True)
    ]


def _hand(points: Sequence[Any], label: Any) -> Hand:
    positions = np.array([(one.x, one.y) for one in points], np.float32)
    assert positions.shape == (NUM_HAND_LANDMARKS, 2)
    score = float(label.score)
    return Hand(positions, score if label.category_name == "Left" else 1 - score)
