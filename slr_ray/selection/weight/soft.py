"""Pseudo-labels that keep their doubts."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.weight.weighting import Weighting


class Soft(Weighting):
    """Trains to the whole calibrated and refined distribution instead of its likeliest gloss. Ours.

    Sharper or flatter with `refine.temperature`, as in MixMatch (Berthelot et al. 2019).
    """

    is_soft: ClassVar[bool] = True
    kind: Literal["soft"] = "soft"
    weight: float = Field(1.0, gt=0, le=1)
    by_confidence: bool = True
    """Multiply the weight by the highest probability; otherwise it is the same for every clip."""

    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        if not self.by_confidence:
            return np.full(len(rows), self.weight, np.float32)
        weights: np.ndarray = (self.weight * candidates.confidence[rows]).astype(np.float32)
        return weights
