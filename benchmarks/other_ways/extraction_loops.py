"""The plain way to extract poses from a video, and what might make it faster.

Each takes a path and the number of frames to take, and gives landmarks frame by frame and the
image's aspect ratio. All use the models, thresholds and hand assignment of the platform, so that
only the loop differs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import Queue
from typing import Any

import av
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from slr_ray.videos.detection.assembly import FrameLandmarks
from slr_ray.videos.detection.hands import Hand
from slr_ray.videos.detection.models import Models
from slr_ray.videos.detection.quiet import without_chatter

Seen = tuple[list[FrameLandmarks], float]
Loop = Callable[[str, int], Seen]


@contextmanager
def opened(models: Models, mode: Any) -> Iterator[tuple[Any, Any]]:
    """A pose and a hand landmarker, closed at the end."""
    with without_chatter():
        pose = vision.PoseLandmarker.create_from_options(
            vision.PoseLandmarkerOptions(BaseOptions(str(models.pose)), mode)
        )
        hands = vision.HandLandmarker.create_from_options(
            vision.HandLandmarkerOptions(BaseOptions(str(models.hand)), mode, num_hands=2)
        )
    with pose, hands:
        yield pose, hands


def frames_of(
    path: str, num_frames: int, longest_side_px: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Time in milliseconds and RGB picture; scaled while its colours are converted, if at all."""
    with av.open(path) as container:
        for frame in islice(container.decode(video=0), num_frames):
            scale = min(1.0, (longest_side_px or 2**16) / max(frame.width, frame.height))
            width, height = round(frame.width * scale), round(frame.height * scale)
            image = frame.to_ndarray(format="rgb24", width=width, height=height)
            yield round((frame.time or 0) * 1000), np.ascontiguousarray(image)


def landmarks_of(pose: Any, hands: Any) -> FrameLandmarks:
    """Both results of one frame in the platform's form."""
    found = tuple(
        Hand(
            np.array([(one.x, one.y) for one in points], np.float32),
            labels[0].score if labels[0].category_name == "Left" else 1 - labels[0].score,
        )
        for points, labels in zip(hands.hand_landmarks, hands.handedness, strict=True)
    )
    if not pose.pose_landmarks:
        return FrameLandmarks(None, None, found)
    person = pose.pose_landmarks[0]
    return FrameLandmarks(
        np.array([(one.x, one.y) for one in person], np.float32),
        np.array([one.visibility for one in person], np.float32),
        found,
    )


Frame = tuple[int, np.ndarray]
Detect = Callable[[Any, int], tuple[Any, Any]]


def each(frames: Iterator[Frame], detect: Detect) -> Seen:
    """Landmarks of every frame by `detect`, which takes a picture and its time."""
    seen, aspect = [], 1.0
    for time_ms, pixels in frames:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        seen.append(landmarks_of(*detect(image, time_ms)))
        aspect = image.width / image.height
    return seen, aspect


def in_turn(pose: Any, hands: Any) -> Detect:
    """Pose, then hands, in VIDEO mode."""
    return lambda image, time_ms: (
        pose.detect_for_video(image, time_ms),
        hands.detect_for_video(image, time_ms),
    )


def sequential(models: Models, *, longest_side_px: int | None = None) -> Loop:
    """Decode, pose, hands, one after the other; the plain loop with its defaults."""

    def loop(path: str, num_frames: int) -> Seen:
        with opened(models, vision.RunningMode.VIDEO) as pair:
            return each(frames_of(path, num_frames, longest_side_px), in_turn(*pair))

    return loop


def image_by_image(models: Models) -> Loop:
    """The same in IMAGE mode: no tracking from frame to frame."""

    def loop(path: str, num_frames: int) -> Seen:
        with opened(models, vision.RunningMode.IMAGE) as (pose, hands):
            frames = frames_of(path, num_frames)
            return each(frames, lambda image, _: (pose.detect(image), hands.detect(image)))

    return loop


def decoding_ahead(models: Models) -> Loop:
    """A second thread decodes up to four frames ahead."""

    def loop(path: str, num_frames: int) -> Seen:
        queue: Queue[Frame | None] = Queue(4)

        def decode() -> None:
            for one in frames_of(path, num_frames):
                queue.put(one)
            queue.put(None)

        with opened(models, vision.RunningMode.VIDEO) as pair:
            threading.Thread(target=decode, daemon=True).start()
            return each(iter(queue.get, None), in_turn(*pair))

    return loop


def side_by_side(models: Models) -> Loop:
    """Pose and hands of a frame in two threads."""

    def loop(path: str, num_frames: int) -> Seen:
        with (
            opened(models, vision.RunningMode.VIDEO) as (pose, hands),
            ThreadPoolExecutor(1) as other,
        ):

            def detect(image: Any, time_ms: int) -> tuple[Any, Any]:
                waiting = other.submit(hands.detect_for_video, image, time_ms)
                return pose.detect_for_video(image, time_ms), waiting.result()

            return each(frames_of(path, num_frames), detect)

    return loop
