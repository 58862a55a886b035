"""How long clips are, in frames or glosses."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from slr_ray.config import Record

_NUM_BINS = 30


class Lengths(Record):
    """How many frames clips have, or glosses sentences."""

    shortest: int
    median: float
    mean: float
    longest: int
    bin_edges: list[float]
    counts: list[int]
    """Clips between bin_edges[i] and bin_edges[i + 1]."""


def lengths_of(numbers: Int[np.ndarray, " clips"]) -> Lengths:
    low, high = int(numbers.min()), int(numbers.max())
    # Whole numbers: an edge between two numbers, never on one.
    step = max(1, -(-(high - low + 1) // _NUM_BINS))
    counts, edges = np.histogram(numbers, np.arange(low, high + step + 1, step) - 0.5)
    return Lengths(
        shortest=low,
        median=float(np.median(numbers)),
        mean=float(numbers.mean()),
        longest=high,
        bin_edges=edges.tolist(),
        counts=counts.tolist(),
    )
