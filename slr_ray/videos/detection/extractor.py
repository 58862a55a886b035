"""From a video to the poses of its clip."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import check_sentence
from slr_ray.videos.detection.assembly import FrameLandmarks, assemble_clip
from slr_ray.videos.detection.config import EXTRACTOR, ExtractionConfig
from slr_ray.videos.detection.hands import LEFT, RIGHT
from slr_ray.videos.detection.landmarkers import Landmarkers
from slr_ray.videos.detection.models import Models
from slr_ray.videos.detection.smoothing import (
    INTERPOLATED_CONFIDENCE,
    LEAST_CONFIDENCE,
    fill_gaps,
    smooth,
)
from slr_ray.videos.detection.stillness import Stillness
from slr_ray.videos.frames.resampling import MOST_DRIFT_S
from slr_ray.videos.frames.source import ExtractionFailed, VideoClip
from slr_ray.videos.frames.video import Frame, Reading, read_frames

_VERSION = 1
"""Raise it with any change that gives other poses from the same frames and settings."""


@dataclass(frozen=True)
class Quality:
    """How extraction of one clip went."""

    num_frames: int
    """Frames of the clip, after a change of rate."""
    num_source_frames: int
    """Frames of the video in the clip's range."""
    num_without_pose: int
    num_without_left_hand: int
    num_without_right_hand: int
    num_without_hands: int
    """Frames with neither hand."""
    num_unassigned_hands: int
    """Hands that were found and taken for nobody's: somebody else's, or one hand found twice."""
    num_interpolated_joints: int
    """Joints in frames, filled in where they were missing."""
    num_still_frames: int
    """Frames not looked at because nothing had moved."""
    num_damaged_packets: int
    num_undecoded_frames: int
    """Pictures in the clip's range that the file holds and that gave no frame."""
    is_cut: bool
    """Whether `max_frames` cut frames off."""
    width: int
    height: int
    source_fps: float
    decoding_s: float
    inference_s: float
    drift_s: float = 0.0
    """How far a frame lies at most from where the clip's rate has it: that of phones and screen
    recordings may vary, and seconds are counted by its mean. 0 with `target_fps`."""

    @property
    def varies(self) -> bool:
        """Whether that is more than a few frames."""
        return self.drift_s > MOST_DRIFT_S


@dataclass(frozen=True)
class Extracted:
    clip: Clip
    quality: Quality


class Extractor:
    """Holds the landmarkers; one for a process, for one clip at a time. Close it, or use `with`."""

    def __init__(self, config: ExtractionConfig, models: Models) -> None:
        self.config = config
        self.models = models
        self._landmarkers = Landmarkers(config, models)

    def provenance(self) -> dict[str, Any]:
        """What a shard records about how its poses came about."""
        return {
            "extractor": EXTRACTOR,
            "version": _VERSION,
            "mediapipe": version("mediapipe"),
            "models": {
                f"pose_landmarker_{self.config.pose_model}": self.models.pose_sha256,
                "hand_landmarker": self.models.hand_sha256,
            },
            "settings": self.config.model_dump(mode="json"),
            "confidence": {
                "body": f"visibility, at least {LEAST_CONFIDENCE}",
                "hands": "1 where found",
                "interpolated": INTERPOLATED_CONFIDENCE,
                "missing": 0,
            },
        }

    def extract(self, video: VideoClip) -> Extracted:
        """The clip's poses; raises `ExtractionFailed`.

        One picture is held at a time, and a few hundred bytes of landmarks a frame.
        """
        found = _Found()
        reading = Reading()
        for frame, repeats in self._frames(video, reading, found):
            landmarks = self._look(frame, found)
            found.landmarks.extend([landmarks] * repeats)
            if self.config.max_frames is not None:
                found.is_cut = len(found.landmarks) > self.config.max_frames
                if found.is_cut:
                    del found.landmarks[self.config.max_frames :]
                    break
        return self._assembled(video, found, reading)

    def close(self) -> None:
        self._landmarkers.close()

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _frames(
        self, video: VideoClip, reading: Reading, found: _Found
    ) -> Iterator[tuple[Frame, int]]:
        """The frames, with the time that decoding took added up."""
        self._landmarkers.start_clip()
        frames = read_frames(
            video,
            reading,
            target_fps=self.config.target_fps,
            longest_side_px=self.config.longest_side_px,
        )
        while True:
            start = time.perf_counter()
            one = next(frames, None)
            found.decoding_s += time.perf_counter() - start
            if one is None:
                return
            found.height, found.width = one[0].image.shape[:2]
            yield one

    def _look(self, frame: Frame, found: _Found) -> FrameLandmarks:
        start = time.perf_counter()
        if found.landmarks and found.stillness.is_still(frame.image, self.config.max_still_change):
            found.num_still_frames += 1
            landmarks = found.landmarks[-1]
        else:
            found.stillness.remember(frame.image, self.config.max_still_change)
            landmarks = self._landmarkers.look(frame.image, frame.time_s)
        found.inference_s += time.perf_counter() - start
        return landmarks

    def _assembled(self, video: VideoClip, found: _Found, reading: Reading) -> Extracted:
        num_frames = len(found.landmarks)
        aspect = found.width / found.height
        seen = assemble_clip(found.landmarks, aspect)
        if not (seen.confidence > 0).any():
            raise ExtractionFailed(
                "no_person",
                f"nobody is seen in clip {video.clip_id!r} ({video.path}, {num_frames} frames): "
                "look at it, or lower detection_confidence (into another --out)",
            )
        fps = self._fps(reading)
        filled, confidence = fill_gaps(seen.positions, seen.confidence, self.config.max_gap_frames)
        num_interpolated = int((confidence == INTERPOLATED_CONFIDENCE).sum())
        positions = smooth(filled, confidence, fps or 25.0, aspect, self.config.smoothing)
        clip = Clip(
            video.clip_id, video.gloss, video.signer, fps, positions, confidence, video.sentence
        )
        if clip.sentence is not None:
            try:
                check_sentence(clip.sentence, clip.num_frames, clip.clip_id)
            except DataError as error:
                # Shards that have it can't be read.
                told = f"{error}; its video is {video.path}"
                raise ExtractionFailed("bad_sentence", told) from None
        quality = Quality(
            num_frames=clip.num_frames,
            num_source_frames=reading.num_source_frames,
            num_without_pose=int((~seen.has_pose).sum()),
            num_without_left_hand=int((~seen.has_hand[:, LEFT]).sum()),
            num_without_right_hand=int((~seen.has_hand[:, RIGHT]).sum()),
            num_without_hands=int((~seen.has_hand).all(axis=1).sum()),
            num_unassigned_hands=seen.num_unassigned_hands,
            num_interpolated_joints=num_interpolated,
            num_still_frames=found.num_still_frames,
            num_damaged_packets=reading.num_damaged_packets,
            num_undecoded_frames=reading.num_undecoded_frames,
            is_cut=found.is_cut,
            width=found.width,
            height=found.height,
            source_fps=reading.source_fps,
            decoding_s=found.decoding_s,
            inference_s=found.inference_s,
            drift_s=0.0 if self.config.target_fps is not None else reading.drift_s,
        )
        return Extracted(clip, quality)

    def _fps(self, reading: Reading) -> float | None:
        if self.config.target_fps is not None:
            return self.config.target_fps
        # Timestamps are rounded in many files; a rate that is not is one and the same for all.
        return round(reading.source_fps, 2) or None


class _Found:
    """What has been gathered of the clip that is being extracted."""

    def __init__(self) -> None:
        self.landmarks: list[FrameLandmarks] = []
        self.stillness = Stillness()
        self.num_still_frames = 0
        self.is_cut = False
        self.width = self.height = 0
        self.decoding_s = self.inference_s = 0.0
