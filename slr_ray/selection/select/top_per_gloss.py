"""The most confident clips of each predicted gloss."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.rule import Rule


class TopPerGloss(Rule):
    """Selects the k most confident clips of each predicted gloss a round.

    SSLR's "highest-confidence predictions per class"; the paper does not state k. Fewer than k
    where fewer clips are predicted as that gloss.
    """

    kind: Literal["top_per_gloss"] = "top_per_gloss"
    num_clips: int = Field(10, ge=1)
    """k in round 1; later rounds take it times the growth schedule."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest probability of the predicted gloss; 0 as published."""

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        counts = np.full(candidates.num_glosses, round(self.num_clips * candidates.growth))
        return candidates.most_confident_per_gloss(candidates.at_least(self.confidence), counts)
