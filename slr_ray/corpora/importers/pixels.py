"""Coordinates of detectors that do not say how large the picture was."""

from __future__ import annotations

import numpy as np

from slr_ray.corpora.importers.source import SourceError

_LARGEST_FRACTION = 4.0
"""No joint is so many pictures away, and none of a person is within so few pixels of the corner."""
_FAR_OUTSIDE = 1.5


def fractions(
    positions: np.ndarray, confidence: np.ndarray, size: tuple[int, int] | None
) -> np.ndarray:
    """Positions as fractions of the picture; those that are fractions stay.

    `SourceError` where they are pixels and `size` (width and height) is not known or can't be
    right.
    """
    there = positions[confidence > 0]
    if not there.size or np.abs(there).max() <= _LARGEST_FRACTION:
        return positions
    right, bottom = (int(value) for value in there.max(axis=0))
    if size is None:
        raise SourceError(
            f"its coordinates are pixels (up to {right}, {bottom}), and it does not name the size "
            "of the picture: give that of the videos with --picture-size WIDTHxHEIGHT"
        )
    scaled = np.where((confidence > 0)[..., None], positions / np.array(size, np.float64), 0.0)
    if np.median(scaled[confidence > 0].max(axis=-1)) > _FAR_OUTSIDE:
        raise SourceError(
            f"its coordinates reach {right}, {bottom}, far outside a picture of {size[0]}x{size[1]}"
            ": correct --picture-size"
        )
    return scaled
