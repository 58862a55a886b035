"""Against glosses that the model prefers."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from pydantic import Field

from slr_ray.selection.blocks import Step, normalised, pool_mean
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.refine.refinement import Refinement

_TINY = 1e-8


class Debias(Refinement):
    """softmax(logits - τ log q̂), q̂ the pool's mean probabilities (DebiasPL).

    Wang et al. 2022. Differences: q̂ is the mean over the pool, which a round predicts as a whole,
    instead of a running mean over batches; and only pseudo-labels are debiased, the marginal loss
    is left out, since it belongs to training step by step.
    """

    strength: float = Field(0.4, ge=0)
    """τ; the release's scripts take 0.4. 0 changes nothing."""

    def step(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> Step:
        mean = np.maximum(pool_mean(probabilities), _TINY)
        factor = (mean**-self.strength).astype(probabilities.dtype)
        return lambda block, _: normalised(block * factor)
