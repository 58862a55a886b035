"""Sure, and sure of being sure."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Needs, present
from slr_ray.selection.negative import Negative
from slr_ray.selection.select.rule import Rule


class Uncertainty(Rule):
    """Selects where the mean over passes with dropout is high and their deviation low (UPS).

    Rizve et al. 2021; Monte-Carlo dropout by Gal and Ghahramani 2016. The pool's probabilities are
    the mean over the passes; the deviation is that of the gloss predicted before calibration and
    refinement. It needs a model with dropout.

    Not done: UPS's balanced first iterations, which `top_per_gloss` has.
    """

    kind: Literal["uncertainty"] = "uncertainty"
    confidence: float = Field(0.7, ge=0, le=1)
    """Lowest mean probability of the predicted gloss."""
    deviation: float = Field(0.05, ge=0)
    """Highest standard deviation of that probability over the passes."""
    num_passes: int = Field(10, ge=2)
    negative: Negative | None = None
    """UPS's negative labels (published: `negative={}`): what clips that are not selected are not;
    None = they teach nothing."""

    @property
    def needs(self) -> Needs:
        return Needs(dropout_passes=self.num_passes, negative=self.negative)

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        deviation = present(candidates.evidence.deviation, "deviations over dropout passes")
        steady = deviation <= self.deviation
        return np.flatnonzero(candidates.at_least(self.confidence) & steady)
