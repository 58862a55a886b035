"""Pseudo-labels count less, all alike."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.weight.weighting import Weighting


class Constant(Weighting):
    """The same weight for every pseudo-label, as α of Pseudo-Label (Lee 2013, eq. 15)."""

    kind: Literal["constant"] = "constant"
    weight: float = Field(0.5, gt=0, le=1)

    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        return np.full(len(rows), self.weight, np.float32)
