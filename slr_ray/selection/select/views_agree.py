"""The same gloss however the clip is augmented."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Needs, present
from slr_ray.selection.select.rule import Rule


class ViewsAgree(Rule):
    """Selects clips whose augmented views are all predicted as the clip's pseudo-label.

    Ours, after FixMatch's idea that a prediction should survive augmentation. Views are those of
    the labelled clips' augmentation, the same at every call; their glosses are the model's own, the
    pseudo-label is calibrated and refined.
    """

    kind: Literal["views_agree"] = "views_agree"
    num_views: int = Field(4, ge=1)
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest probability of the predicted gloss."""

    @property
    def needs(self) -> Needs:
        return Needs(views=self.num_views)

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        views = present(candidates.evidence.view_glosses, "glosses of views")
        agree = (views == candidates.gloss[:, None]).all(axis=1)
        return np.flatnonzero(candidates.at_least(self.confidence) & agree)
