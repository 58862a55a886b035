"""Every clip above a confidence threshold."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.candidates import Candidates


class Threshold(Config):
    """Selects clips with max p >= `confidence` (Pseudo-Label; FixMatch, eq. 4: 0.95)."""

    kind: Literal["threshold"] = "threshold"
    confidence: float = Field(0.95, ge=0, le=1)
    """Lowest probability of the predicted gloss."""

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        return np.flatnonzero(candidates.allowed & (candidates.confidence >= self.confidence))
