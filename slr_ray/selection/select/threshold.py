"""Every clip above a confidence threshold."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.select.rule import Rule


class Threshold(Rule):
    """Selects clips with max p >= `confidence` (FixMatch, Sohn et al. 2020, eq. 4: 0.95).

    Of calibrated probabilities (`method.calibration`): those of a model trained with label
    smoothing never reach the published threshold.
    """

    kind: Literal["threshold"] = "threshold"
    confidence: float = Field(0.95, ge=0, le=1)
    """Lowest probability of the predicted gloss; 0 selects the whole pool."""

    def select(self, candidates: Ranked) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        return np.flatnonzero(candidates.at_least(self.confidence))
