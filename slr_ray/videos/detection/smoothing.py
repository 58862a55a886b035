"""Short gaps filled and positions smoothed, with what was missing still to be told.

A filled joint has the confidence INTERPOLATED_CONFIDENCE, which no found joint can have: the
confidence of found joints is raised to LEAST_CONFIDENCE at least. So `confidence > 0` takes filled
joints too, and `confidence >= LEAST_CONFIDENCE` only those that were seen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32
from scipy.signal import savgol_filter

from slr_ray.videos.detection.config import NoSmoothing, OneEuro, SavitzkyGolay

INTERPOLATED_CONFIDENCE = 2.0**-10
LEAST_CONFIDENCE = 2.0**-9
"""Both exact in float32."""


def fill_gaps(
    positions: Float32[np.ndarray, "frames 54 2"],
    confidence: Float32[np.ndarray, "frames 54"],
    max_gap_frames: int,
) -> tuple[Float32[np.ndarray, "frames 54 2"], Float32[np.ndarray, "frames 54"]]:
    """Gaps of at most `max_gap_frames` between two sightings of a joint, filled by a straight line.

    Before the first and after the last sighting nothing is filled.
    """
    if max_gap_frames == 0:
        return positions, confidence
    positions, confidence = positions.copy(), confidence.copy()
    for joint in range(confidence.shape[1]):
        seen = np.flatnonzero(confidence[:, joint] > 0)
        for before, after in itertools.pairwise(seen):
            if 1 < after - before <= max_gap_frames + 1:
                inside = np.arange(before + 1, after)
                share = ((inside - before) / (after - before))[:, None].astype(np.float32)
                ends = positions[before, joint], positions[after, joint]
                positions[inside, joint] = ends[0] * (1 - share) + ends[1] * share
                confidence[inside, joint] = INTERPOLATED_CONFIDENCE
    return positions, confidence


def smooth(
    positions: Float32[np.ndarray, "frames 54 2"],
    confidence: Float32[np.ndarray, "frames 54"],
    fps: float,
    aspect: float,
    smoothing: NoSmoothing | OneEuro | SavitzkyGolay,
) -> Float32[np.ndarray, "frames 54 2"]:
    """Each joint's positions smoothed over each stretch of frames in which it is there.

    Nothing is carried over a gap, and missing joints stay at (0, 0). `fps` is the rate of the
    frames, `aspect` the image's width over its height.
    """
    if isinstance(smoothing, NoSmoothing):
        return positions
    positions = positions.copy()
    for joint in range(confidence.shape[1]):
        for stretch in _stretches(confidence[:, joint] > 0):
            track = positions[stretch, joint].astype(np.float64)
            if isinstance(smoothing, OneEuro):
                smoothed = _one_euro(track, fps, aspect, smoothing)
            else:
                smoothed = _savitzky_golay(track, smoothing)
            positions[stretch, joint] = smoothed
    return positions


def _stretches(is_there: np.ndarray) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_there.astype(np.int8), [0]])))
    for start, end in edges.reshape(-1, 2):
        yield slice(int(start), int(end))


def _one_euro(track: np.ndarray, fps: float, aspect: float, settings: OneEuro) -> np.ndarray:
    def weight(cutoff_hz: float) -> float:
        return 1 / (1 + fps / (2 * math.pi * cutoff_hz))

    smoothed = track.copy()
    speed = np.zeros(2)
    for frame in range(1, len(track)):
        change = (track[frame] - smoothed[frame - 1]) * fps
        speed += weight(settings.derivative_cutoff_hz) * (change - speed)
        pace = math.hypot(speed[0] * aspect, speed[1])
        share = weight(settings.min_cutoff_hz + settings.beta * pace)
        smoothed[frame] = smoothed[frame - 1] + share * (track[frame] - smoothed[frame - 1])
    return smoothed


def _savitzky_golay(track: np.ndarray, settings: SavitzkyGolay) -> np.ndarray:
    length = len(track)
    window = min(settings.window_frames, length - 1 + length % 2)
    if window <= settings.order:
        return track
    return np.asarray(savgol_filter(track, window, settings.order, axis=0))
