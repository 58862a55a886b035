"""The same share of the clips of each predicted gloss."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.rule import Rule


class SharePerGloss(Rule):
    """Selects the most confident share of the clips predicted as each gloss.

    Ours, between SSLR's k clips a gloss and Curriculum Labeling's percentile of the whole pool
    (Cascante-Bonilla et al. 2021): no threshold to calibrate, and each gloss is taken as often as
    it is predicted, so that an unbalanced pool stays as unbalanced as it is. With
    `method.pool=reselect` and growth this is a curriculum. Shares are of all clips predicted as the
    gloss, those of earlier rounds included; every predicted gloss gives at least one clip.
    """

    kind: Literal["share_per_gloss"] = "share_per_gloss"
    share: float = Field(0.25, gt=0, le=1)
    """In round 1; later rounds take it times the growth schedule, at most `largest_share`."""
    largest_share: float = Field(0.55, gt=0, le=1)

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        share = min(self.share * candidates.growth, max(self.share, self.largest_share))
        counts = candidates.num_of_share(share)
        return candidates.most_confident_per_gloss(candidates.allowed, counts)
