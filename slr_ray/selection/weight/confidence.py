"""Pseudo-labels count as much as the model is sure of them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.weight.weighting import Weighting


class Confidence(Weighting):
    """The probability of the pseudo-label, calibrated and refined. Ours."""

    kind: Literal["confidence"] = "confidence"
    weight: float = Field(1.0, gt=0, le=1)
    """Multiplies it."""

    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        weights: np.ndarray = (self.weight * candidates.confidence[rows]).astype(np.float32)
        return weights
