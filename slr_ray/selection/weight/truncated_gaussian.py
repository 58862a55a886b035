"""Full weight above the pool's mean confidence, less and less below it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.weight.weighting import Weighting


class TruncatedGaussian(Weighting):
    """exp(-min(max p - μ, 0)² / (2 σ² / n²)) (SoftMatch, Chen et al. 2023).

    μ and σ² are mean and variance of the whole pool's confidence in this round; the paper's are
    running means over batches. SoftMatch selects every clip, `selection.kind=threshold` with
    confidence 0, and aligns to equal frequencies, `refine.alignment.target=uniform`.
    """

    kind: Literal["truncated_gaussian"] = "truncated_gaussian"
    num_deviations: float = Field(2.0, gt=0)
    """n; published 2."""

    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        confidence = candidates.confidence.astype(np.float64)
        if not len(rows):
            return np.empty(0, np.float32)
        below = np.minimum(confidence[rows] - confidence.mean(), 0)
        variance = confidence.var(ddof=1) if len(confidence) > 1 else 0.0
        # In a pool of equals nothing is below the mean, but for rounding.
        scaled = below * self.num_deviations / max(np.sqrt(variance), 1e-6)
        weights: np.ndarray = np.exp(-(scaled**2) / 2).astype(np.float32)
        return weights
