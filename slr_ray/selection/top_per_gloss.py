"""The most confident clips of each predicted gloss."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.candidates import Candidates


class TopPerGloss(Config):
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
        count = round(self.num_clips * candidates.growth)
        eligible = candidates.allowed & (candidates.confidence >= self.confidence)
        chosen = [
            candidates.most_confident(np.flatnonzero(eligible & (candidates.gloss == gloss)), count)
            for gloss in range(candidates.probabilities.shape[1])
        ]
        return np.sort(np.concatenate(chosen))
