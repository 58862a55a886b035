"""More of the pool each round."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.rule import Rule


class Curriculum(Rule):
    """Selects above percentile(max p, 100 - 20 r) in round r (Curriculum Labeling).

    Cascante-Bonilla et al. 2021: the last of five rounds takes the whole pool. Published with
    `pseudo_labels=reselect`, `start=scratch` and `num_rounds=5`. It grows by itself: the growth
    schedule does not apply.
    """

    kind: Literal["curriculum"] = "curriculum"
    step: float = Field(0.2, gt=0, le=1)
    """Share of the pool that each round adds."""

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending; equals of the last one, too."""
        return candidates.top_share(min(self.step * candidates.round, 1.0))
