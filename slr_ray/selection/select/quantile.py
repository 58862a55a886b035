"""A threshold that says how many instead of how sure."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.select.rule import Rule


class Quantile(Rule):
    """Selects clips at least as confident as the pool's (1 - `share`) quantile.

    Needs no calibration: label smoothing, mixup and temperature move confidences and leave their
    order. With `accumulate` the quantile is that of the whole pool, earlier rounds' clips included.
    """

    kind: Literal["quantile"] = "quantile"
    share: float = Field(0.2, gt=0, le=1)
    """Share of the pool in round 1; later rounds take it times the growth schedule, at most 1."""

    def select(self, candidates: Ranked) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending; equals of the last one, too."""
        return candidates.top_share(min(self.share * candidates.growth, 1.0))
