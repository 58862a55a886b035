"""Collapse: whether all clips have come to the same, or nearly the same, representation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from slr_ray.evaluation.neighbours import normalised


@dataclass(frozen=True)
class Collapse:
    """How far representations spread."""

    spread: float
    """Mean over dimensions of the standard deviation of the L2-normalised representation, times
    sqrt(dim): about 1 where clips lie evenly on the sphere, 0 where all are one point (Chen and He
    2021, SimSiam, section 4.1; SSL-SLR, section 7)."""
    effective_rank: float
    """Exponential of the entropy of the normalised singular values (Roy and Vetterli 2007) of the
    centred representations: between 1 and dim, 0 where all clips are one point. Falls where
    dimensions repeat each other, which `spread` does not see."""
    mean_cosine: float
    """Mean cosine similarity of two different clips; 1 where all point one way."""


def measure_collapse(representations: Float[np.ndarray, "clips dim"]) -> Collapse:
    """All three of representations or embeddings. `ValueError` with fewer than two clips."""
    count, dim = representations.shape
    if count < 2:
        raise ValueError(f"collapse needs at least two clips, got {count}")
    unit = normalised(representations)
    wide = representations.astype(np.float64)
    centred = wide - wide.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    # What is left of equal rows after taking their mean is rounding, not rank.
    floor = np.finfo(np.float32).eps * np.abs(wide).max(initial=0.0) * np.sqrt(count * dim)
    singular = np.where(singular > floor, singular, 0.0)
    similarity = (np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / (count * (count - 1))
    return Collapse(
        spread=float(unit.std(axis=0).mean() * np.sqrt(dim)),
        effective_rank=_effective_rank(singular),
        mean_cosine=float(similarity),
    )


def _effective_rank(singular: Float[np.ndarray, " values"]) -> float:
    if singular.sum() == 0:
        return 0.0
    share = singular[singular > 0] / singular.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
