"""The most confident clips of a round."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.select.rule import Rule


class TopConfidence(Rule):
    """Selects the N most confident clips a round (SSLR; the paper does not state N)."""

    kind: Literal["top_confidence"] = "top_confidence"
    num_clips: int = Field(100, ge=1)
    """N in round 1; later rounds take it times the growth schedule."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest probability of the predicted gloss; 0 as published."""

    def select(self, candidates: Ranked) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        rows = np.flatnonzero(candidates.at_least(self.confidence))
        return candidates.most_confident(rows, round(self.num_clips * candidates.growth))
