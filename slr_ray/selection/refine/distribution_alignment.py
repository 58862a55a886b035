"""Pseudo-labels as frequent as the labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from slr_ray.selection.blocks import Step, normalised, pool_mean
from slr_ray.selection.evidence import Evidence, present
from slr_ray.selection.refine.refinement import Refinement

_TINY = 1e-6


class DistributionAlignment(Refinement):
    """p ← normalise(p · (target / model)^exponent) (ReMixMatch, Berthelot et al. 2020).

    `model` is the pool's mean probability of each gloss, over the whole pool instead of the last
    128 batches. CReST+ (Wei et al. 2021) flattens the target by a temperature from 1 to 0.5:
    `target_exponent`. Right only where the pool's glosses are distributed as the target says.
    """

    target: Literal["labelled", "uniform"] = "labelled"
    """Frequencies of the labelled clips, or all glosses alike (SoftMatch's uniform alignment)."""
    exponent: float = Field(1.0, ge=0, le=1)
    """How far the way is gone; 0 changes nothing."""
    target_exponent: float = Field(1.0, ge=0, le=1)
    """CReST+'s t: the target's frequencies to this power."""

    def step(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> Step:
        num_glosses = probabilities.shape[1]
        target = np.ones(num_glosses)
        if self.target == "labelled":
            counts = present(evidence.labelled_counts, "labelled counts")
            # A gloss without a labelled clip stays possible.
            target = np.maximum(counts / max(counts.sum(), 1), _TINY) ** self.target_exponent
        model = np.maximum(pool_mean(probabilities), _TINY)
        ratio = (target / target.sum() / model) ** self.exponent
        factor = ratio.astype(probabilities.dtype)
        return lambda block, _: normalised(block * factor)
