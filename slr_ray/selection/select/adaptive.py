"""Lower thresholds for glosses that are harder to learn."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.rule import Rule


class Adaptive(Rule):
    """Selects max p >= τ · β_c / (2 - β_c), c the predicted gloss (FlexMatch).

    β_c = σ_c / max(max σ, number of clips below τ), σ_c = clips predicted as c at >= τ (Zhang et
    al. 2021, section 3, with warm-up and convex mapping). Both counts are the pool's in this round;
    the paper's are each clip's last visit. A gloss of which no clip reaches τ has threshold 0, as
    published: `lowest` bounds it.
    """

    kind: Literal["adaptive"] = "adaptive"
    confidence: float = Field(0.95, ge=0, le=1)
    """τ, the highest threshold that a gloss may have."""
    lowest: float = Field(0.0, ge=0, le=1)
    """Ours: no threshold is below this; 0 as published."""

    def thresholds(self, candidates: Candidates) -> Float[np.ndarray, " glosses"]:
        """The threshold of each gloss."""
        sure = candidates.confidence >= self.confidence
        counts = np.bincount(candidates.gloss[sure], minlength=candidates.num_glosses)
        most = max(int(counts.max()), int((~sure).sum()), 1)
        learned = counts / most
        found: np.ndarray = np.maximum(self.confidence * learned / (2 - learned), self.lowest)
        return found

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        own = self.thresholds(candidates).astype(candidates.confidence.dtype)[candidates.gloss]
        return np.flatnonzero(candidates.allowed & (candidates.confidence >= own))
