"""Sharper or flatter probabilities."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from pydantic import Field

from slr_ray.selection.blocks import Step, sharpened
from slr_ray.selection.evidence import Evidence
from slr_ray.selection.refine.refinement import Refinement


class Temperature(Refinement):
    """softmax(logits / T), as MixMatch and ReMixMatch sharpen (Berthelot et al. 2019).

    It moves confidences and changes no gloss: of use before a semantic blend or with thresholds. To
    measure T instead of choosing it, set `method.calibration=temperature`.
    """

    temperature: float = Field(0.5, gt=0)
    """Below 1 sharpens, above 1 flattens, 1 changes nothing."""

    def step(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> Step:
        return lambda block, _: sharpened(block, 1 / self.temperature)
