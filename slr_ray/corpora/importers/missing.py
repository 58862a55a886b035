"""The one rule of all importers for what a source does not hold."""

from __future__ import annotations

import numpy as np

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.errors import DataError

_MOST_ABSENT = 3
"""Absent frames for each that is there; beyond, the numbers do not count frames."""

Landmarks = tuple[np.ndarray, np.ndarray]
"""Positions (... x 2) and confidence (...)."""


def found(positions: np.ndarray, confidence: np.ndarray | None = None) -> Landmarks:
    """Positions and confidence with everything that was not found at (0, 0) with confidence 0.

    Not found is what has NaN or an infinite value in x or y, lies at exactly (0, 0), or has no
    confidence above 0. Without `confidence`, what is there counts 1; more than 1 counts 1, as some
    detectors give unbounded scores.
    """
    if confidence is None:
        confidence = np.ones(positions.shape[:-1])
    there = np.isfinite(positions).all(axis=-1) & (positions != 0).any(axis=-1) & (confidence > 0)
    return (
        np.where(there[..., None], positions, 0.0),
        np.where(there, np.minimum(confidence, 1), 0.0),
    )


def step_of(numbers: np.ndarray) -> int | None:
    """By how much the numbers of frames rise, apart from gaps; None where they follow no step."""
    steps = np.diff(numbers)
    if not steps.size:
        return 1
    values, counts = np.unique(steps, return_counts=True)
    step = int(values[counts.argmax()])
    return None if (steps % step).any() else step


def frame_rows(numbers: np.ndarray, clip_id: str, remarks: Remarks) -> np.ndarray:
    """The row of each frame, by its number; a number that is left out is a frame of its own.

    In such a frame nothing was found, and the user is told. Numbers that rise by a fixed step, as
    those of every second frame do, leave nothing out, but the user is told what frame rate is
    meant; where they follow no step, they may be times, and frames come one after another.
    `DataError` where a number comes twice, or where far more numbers are absent than there.
    `numbers` are sorted.
    """
    steps = np.diff(numbers)
    if not steps.size:
        return np.zeros(len(numbers), np.int64)
    if not steps.all():
        raise DataError(f"frame {numbers[steps.argmin()]} is there twice")
    step = step_of(numbers)
    if step is None:
        remarks.add("clips whose frame numbers follow no step, taken one after another", clip_id)
        return np.arange(len(numbers))
    if step > 1:
        remarks.add(
            "clips whose frames are numbered in steps, such as every second one: a rate that the "
            "source names is divided by the step, and --fps is that of the frames that are there",
            clip_id,
        )
    rows = np.asarray((numbers - numbers[0]) // step, np.int64)
    absent = int(rows[-1]) + 1 - len(numbers)
    if absent > _MOST_ABSENT * len(numbers):
        raise DataError(
            f"its frames are numbered {numbers[0]} to {numbers[-1]}, but only {len(numbers)} are "
            f"there and {absent} absent"
        )
    if absent:
        remarks.add("clips with absent frames, taken as frames without any joint", clip_id)
    return rows


def spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Frames in their rows, the rest 0, which stands for what was not found."""
    laid = np.zeros((int(rows[-1]) + 1 if len(rows) else 0, *values.shape[1:]), values.dtype)
    laid[rows] = values
    return laid
