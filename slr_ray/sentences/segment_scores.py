"""How well segments fit the true ones: F1 by overlap, frames, and how spiky the model is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from slr_ray.poses.sentence import FRAMES_A_STEP
from slr_ray.sentences.steps import BLANK

OVERLAPS = (0.1, 0.25, 0.5)
"""Intersection over union that a hit needs, at least."""


@dataclass(frozen=True)
class SegmentCounts:
    """What can be added up of segments, one sentence's or several ones'."""

    hits: Int64[np.ndarray, " overlaps"]
    """Predicted segments on a true one of the same gloss, for each of `OVERLAPS`."""
    boundary_hits: Int64[np.ndarray, " overlaps"]
    """The same whatever their glosses: only the bounds count."""
    num_predicted: int
    num_true: int
    right_frames: int
    """Frames of true segments that have the right gloss."""
    true_frames: int

    @property
    def numbers(self) -> Float64[np.ndarray, " numbers"]:
        """In a row, for whoever adds them up and asks `rates_in_time`."""
        frames = (self.right_frames, self.true_frames)
        segments = self.num_predicted + self.num_true
        return np.array([*self.hits, *self.boundary_hits, segments, *frames], np.float64)


def rates_in_time(
    totals: Float64[np.ndarray, "*sums numbers"],
) -> dict[str, Float64[np.ndarray, "*sums"]]:
    """Of added-up `SegmentCounts.numbers`, by the names of `SentenceMetrics`.

    F1 is 2 hits / (predicted + true); frames that nobody signs in are left out of the share of
    frames. NaN where there is no segment, or no frame of a true one.
    """
    numbers = np.moveaxis(totals, -1, 0)
    hits, (segments, right, true) = numbers[:-3], numbers[-3:]
    names = [
        f"{name}_f1_{100 * overlap:.0f}" for name in ("segment", "boundary") for overlap in OVERLAPS
    ]
    with np.errstate(invalid="ignore"):
        scores = dict(zip(names, 2 * hits / segments, strict=True))
        return {"frame_accuracy": np.asarray(right / true), **scores}


def count_segments(
    glosses: Int64[np.ndarray, " predicted"],
    bounds: Int64[np.ndarray, "predicted 2"],
    true_glosses: Int64[np.ndarray, " true"],
    true_bounds: Int64[np.ndarray, "true 2"],
) -> SegmentCounts:
    """Compare the segments of a sentence with the true ones, all in frames, ends excluded.

    The predicted ones are taken in their order, and each goes to the true one that it overlaps
    most, a hit if that overlap is enough and nobody had it before (F1@k of Lea et al. 2017,
    arXiv 1611.05267, as evaluated in its release). Neither overlap among themselves.
    """
    starts = np.maximum(bounds[:, None, 0], true_bounds[None, :, 0])
    ends = np.minimum(bounds[:, None, 1], true_bounds[None, :, 1])
    common = np.maximum(ends - starts, 0)
    length, true_length = np.diff(bounds)[:, 0], np.diff(true_bounds)[:, 0]
    overlap = common / (length[:, None] + true_length - common)
    same = glosses[:, None] == true_glosses
    return SegmentCounts(
        _hits(np.where(same, overlap, 0.0)),
        _hits(overlap),
        len(glosses),
        len(true_glosses),
        int(common[same].sum()),
        int(true_length.sum()),
    )


def _hits(overlap: Float64[np.ndarray, "predicted true"]) -> Int64[np.ndarray, " overlaps"]:
    hits = np.zeros(len(OVERLAPS), np.int64)
    if not overlap.size:
        return hits
    nearest, most = overlap.argmax(axis=1), overlap.max(axis=1)
    for place, least in enumerate(OVERLAPS):
        hits[place] = len(np.unique(nearest[most >= least]))
    return hits


def figures_in_time(counts: Iterable[SegmentCounts]) -> dict[str, float]:
    """What a record says of some sentences, by the names it has there; empty without a sentence."""
    known = [one.numbers for one in counts]
    if not known:
        return {}
    return {name: float(one) for name, one in rates_in_time(np.sum(known, axis=0)).items()}


def in_frames(
    bounds: Int64[np.ndarray, "glosses 2"], num_frames: int
) -> Int64[np.ndarray, "glosses 2"]:
    """Bounds in steps as bounds in the frames that the model read."""
    frames: np.ndarray = np.minimum(bounds * FRAMES_A_STEP, num_frames)
    return frames


def non_blank_share(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
) -> float:
    """Share of all steps whose most probable class is a gloss: the lower, the spikier."""
    real: Bool[np.ndarray, "sentences steps"] = np.arange(log_probs.shape[1]) < num_steps[:, None]
    return float((log_probs.argmax(axis=2) != BLANK)[real].mean())
