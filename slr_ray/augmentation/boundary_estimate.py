"""Where the sign begins and ends in each clip, read off the hands: no training at all.

SSL-SLR finds one boundary for a whole corpus by training over and over (section 5.2, Algorithm 1)
and names a "non-empirical method" as future work (section 8). This is one, ours. A clip of an
isolated sign goes rest, reach, sign, withdrawal, rest; a reach of the arm has one bell of speed
(minimum jerk: Flash and Hogan 1985), so the sign begins where that bell has died away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from slr_ray.augmentation.config import (
    AugmentationConfig,
    BoundaryAugmentation,
    BoundaryEstimateConfig,
)
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.body_normalisation import signing_space
from slr_ray.poses.reading import FindEnds, ReadableClips, in_batches
from slr_ray.poses.skeleton import INDEX

_CHUNK_CLIPS = 512
_BELL = 1.875
"""Highest over mean speed of a minimum-jerk reach."""
_WRISTS = tuple(
    (INDEX[body], INDEX[hand])
    for body, hand in (("leftWrist", "wrist_0"), ("rightWrist", "wrist_1"))
)


@dataclass(frozen=True)
class BoundaryEstimate:
    """Boundaries of clips, as shares of each clip's frames."""

    head_fraction: Float[np.ndarray, " clips"]
    tail_fraction: Float[np.ndarray, " clips"]
    rises: Bool[np.ndarray, " clips"]
    """Whether a hand rises from rest; where it does not, `head_fraction` is 0."""
    sinks: Bool[np.ndarray, " clips"]
    """The same of the end of the clip and `tail_fraction`."""

    def overall(self) -> tuple[float, float]:
        """One boundary for all clips: the means, clips without rest included."""
        return float(self.head_fraction.mean()), float(self.tail_fraction.mean())


def estimate_boundaries(
    source: ReadableClips,
    clips: Int[np.ndarray, " clips"],
    config: BoundaryEstimateConfig | None = None,
    on_clips: Callable[[int], None] | None = None,
) -> BoundaryEstimate:
    """Boundaries of clips of a corpus, or of any others; `on_clips` hears how many more are done.

    Glosses are not looked at. `ValueError` without clips.
    """
    if len(clips) == 0:
        raise ValueError("no clip to estimate boundaries of")
    config = config or BoundaryEstimateConfig()
    longest = int(source.num_frames[clips].max())
    head, tail = np.empty(len(clips)), np.empty(len(clips))
    rises, sinks = np.empty(len(clips), bool), np.empty(len(clips), bool)
    for places, batch in in_batches(source, clips, _CHUNK_CLIPS, longest):
        found = estimate_batch(batch, config)
        head[places], tail[places] = found.head_fraction, found.tail_fraction
        rises[places], sinks[places] = found.rises, found.sinks
        if on_clips is not None:
            on_clips(len(places))
    return BoundaryEstimate(head, tail, rises, sinks)


def ends_finder(config: AugmentationConfig) -> FindEnds | None:
    """What clips must be read with for this augmentation; None where it does not ask for theirs."""
    settings = config.per_clip if isinstance(config, BoundaryAugmentation) else None
    if settings is None:
        return None

    def find(batch: PoseBatch) -> Float[Tensor, "clips 2"]:
        found = estimate_batch(batch, settings)
        ends = np.stack([found.head_fraction, found.tail_fraction], axis=1)
        return torch.from_numpy(ends.astype(np.float32))

    return find


def estimate_batch(batch: PoseBatch, config: BoundaryEstimateConfig) -> BoundaryEstimate:
    """Boundaries of a batch in image fractions.

    Only the arm that moves further up and down counts. Frames without its wrist are interpolated;
    at the ends they repeat the nearest found one. Clips without any wrist have no boundary.
    """
    num_frames = batch.num_frames.numpy()
    path = _signing_wrist(batch)
    rises, head = _reach(path, num_frames, config)
    sinks, tail = _reach(_reversed(path, num_frames), num_frames, config)
    # Both ends were found on their own: a clip whose sign is a single frame may lose it twice.
    tail = np.minimum(tail, num_frames - head)
    return BoundaryEstimate(head / num_frames, tail / num_frames, rises, sinks)


def _reach(
    path: Float[np.ndarray, "clips frames 2"],
    num_frames: Int[np.ndarray, " clips"],
    config: BoundaryEstimateConfig,
) -> tuple[Bool[np.ndarray, " clips"], Int[np.ndarray, " clips"]]:
    """Which clips begin with a reach, and the frames before it is over (0 without one)."""
    frames = np.arange(path.shape[1])
    real = frames < num_frames[:, None]
    height = np.where(real, -path[..., 1], np.nan)
    signing = _quantile(height, num_frames, config.signing_quantile)
    up = (height >= signing[:, None]).argmax(axis=1)
    # Not simply the first frame: detectors start with a guess and webcams with a hand at a key.
    before = np.where(frames <= up[:, None], height, np.inf)
    lowest = before.argmin(axis=1)
    rest = before.min(axis=1)
    rises = signing - rest >= config.least_rise
    half = height >= ((signing + rest) / 2)[:, None]
    middle = (half & (frames >= lowest[:, None])).argmax(axis=1)
    step = np.linalg.norm(np.diff(path, axis=1, append=path[:, -1:]), axis=-1)
    moving = real & (frames < num_frames[:, None] - 1)
    near = moving & (frames >= middle[:, None] - config.reach_frames)
    near &= frames <= middle[:, None] + 1
    peak = np.where(near, step, -1.0).argmax(axis=1)
    fastest = step[np.arange(len(path)), peak]
    slow = moving & (frames > peak[:, None]) & (step <= config.settled * fastest[:, None])
    # The sign begins where the first slow step leads to.
    over = np.where(slow.any(axis=1), slow.argmax(axis=1) + 1, num_frames)
    # A sign that goes on as fast as the reach has no such frame near: a bell of minimum jerk over
    # the distance risen, at that highest speed, takes 1.875 x distance / speed in all.
    duration = _BELL * (signing - rest) / np.maximum(fastest, 1e-6)
    over = np.minimum(over, np.minimum(peak + np.ceil(duration / 2), num_frames - 1)).astype(int)
    return rises, np.where(rises, over, 0)


def _quantile(
    heights: Float[np.ndarray, "clips frames"], num_frames: Int[np.ndarray, " clips"], share: float
) -> Float[np.ndarray, " clips"]:
    """`np.nanquantile` of each clip's frames, NaN behind them, in a tenth of its time."""
    ascending = np.sort(heights, axis=1)
    place = share * (num_frames - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, num_frames - 1)
    rows = np.arange(len(heights))
    low, high = ascending[rows, below], ascending[rows, above]
    return np.asarray(low + (place - below) * (high - low))


def _signing_wrist(batch: PoseBatch) -> Float[np.ndarray, "clips frames 2"]:
    """Path of the wrist with the larger vertical range, in shoulder widths from the neck."""
    centre, unit = signing_space(batch)
    positions = (batch.positions - centre[:, None, None]) / unit[:, None, None, None]
    found = batch.joint_mask.numpy()
    paths, ranges = [], []
    for body, hand in _WRISTS:
        own = np.where(found[:, :, body, None], positions[:, :, body], positions[:, :, hand])
        path = _smoothed(_without_gaps(own, found[:, :, body] | found[:, :, hand]), batch)
        real = batch.frame_mask.numpy()
        height = np.where(real, path[..., 1], np.nan)
        ranges.append(np.nanmax(height, axis=1) - np.nanmin(height, axis=1))
        paths.append(path)
    further = np.argmax(ranges, axis=0)
    chosen: np.ndarray = np.stack(paths)[further, np.arange(batch.num_clips)]
    return chosen


def _without_gaps(
    path: Float[np.ndarray, "clips frames 2"], found: Bool[np.ndarray, "clips frames"]
) -> Float[np.ndarray, "clips frames 2"]:
    """Frames that were not found, interpolated in time; all zero where none was found."""
    frames = np.arange(path.shape[1])
    before = np.maximum.accumulate(np.where(found, frames, -1), axis=1)
    after = np.where(found, frames, path.shape[1])[:, ::-1]
    after = np.minimum.accumulate(after, axis=1)[:, ::-1]
    none = np.asarray(~found.any(axis=1, keepdims=True))
    first = np.where(none, 0, np.where(before < 0, after, before))
    last = np.where(none, 0, np.where(after == path.shape[1], before, after))
    share = (frames - first) / np.maximum(last - first, 1)
    share = np.clip(share, 0.0, 1.0)[..., None]
    rows = np.arange(len(path))[:, None]
    filled = (1 - share) * path[rows, first] + share * path[rows, last]
    return np.where(none[..., None], 0.0, filled)


def _smoothed(
    path: Float[np.ndarray, "clips frames 2"], batch: PoseBatch
) -> Float[np.ndarray, "clips frames 2"]:
    """A 1-2-1 mean over neighbouring frames: detectors shake by a few hundredths."""
    last = batch.num_frames.numpy()[:, None] - 1
    frames = np.arange(path.shape[1])[None, :]
    rows = np.arange(len(path))[:, None]
    before = path[rows, np.minimum(np.maximum(frames - 1, 0), last)]
    after = path[rows, np.minimum(frames + 1, last)]
    return np.asarray((before + 2 * path[rows, np.minimum(frames, last)] + after) / 4)


def _reversed(
    path: Float[np.ndarray, "clips frames 2"], num_frames: Int[np.ndarray, " clips"]
) -> Float[np.ndarray, "clips frames 2"]:
    """Each clip backwards, its padding still behind it."""
    frames = np.maximum(num_frames[:, None] - 1 - np.arange(path.shape[1])[None, :], 0)
    return np.asarray(path[np.arange(len(path))[:, None], frames])
