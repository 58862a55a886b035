"""Metrics of predicted gloss probabilities."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from slr_ray.records.measured import Metrics

_CALIBRATION_BINS = 15


def measure(
    probabilities: Float[np.ndarray, "clips glosses"], glosses: Int[np.ndarray, " clips"]
) -> Metrics:
    """All metrics of one labelled set. `ValueError` where it is empty."""
    if len(glosses) == 0:
        raise ValueError("no labelled clip to measure on")
    predicted = probabilities.argmax(axis=1)
    own = probabilities[np.arange(len(glosses)), glosses]
    counts = confusion(predicted, glosses, probabilities.shape[1])
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    return Metrics(
        num_clips=len(glosses),
        loss=float(-np.log(np.clip(own.astype(np.float64), 1e-12, None)).mean()),
        accuracy=float((predicted == glosses).mean()),
        top5_accuracy=float((top == glosses[:, None]).any(axis=1).mean()),
        balanced_accuracy=_balanced_accuracy(counts),
        macro_f1=float(np.nanmean(f1_scores(counts))),
        calibration_error=calibration_error(probabilities, glosses),
    )


def confusion(
    predicted: Int[np.ndarray, " clips"], glosses: Int[np.ndarray, " clips"], num_glosses: int
) -> Int[np.ndarray, "glosses glosses"]:
    """Entry (i, j): clips of gloss i predicted as gloss j."""
    flat = glosses.astype(np.int64) * num_glosses + predicted
    return np.bincount(flat, minlength=num_glosses**2).reshape(num_glosses, num_glosses)


def f1_scores(
    counts: Int[np.ndarray, "glosses glosses"],
) -> Float[np.ndarray, " glosses"]:
    """F1 by gloss from a confusion matrix; NaN for a gloss neither present nor predicted."""
    hits = np.diag(counts).astype(np.float64)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    scores: np.ndarray = np.full(len(hits), np.nan)
    np.divide(2 * hits, total, out=scores, where=total > 0)
    return scores


def calibration_error(
    probabilities: Float[np.ndarray, "clips glosses"], glosses: Int[np.ndarray, " clips"]
) -> float:
    """Expected calibration error of the top prediction (Guo et al. 2017, eq. 3), 15 bins."""
    confidence = probabilities.max(axis=1)
    correct = (probabilities.argmax(axis=1) == glosses).astype(np.float64)
    bins = np.minimum((confidence * _CALIBRATION_BINS).astype(int), _CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=correct - confidence, minlength=_CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(glosses))


def _balanced_accuracy(counts: Int[np.ndarray, "glosses glosses"]) -> float:
    present = counts.sum(axis=1)
    recall = np.diag(counts)[present > 0] / present[present > 0]
    return float(recall.mean())
