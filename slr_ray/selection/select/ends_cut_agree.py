"""The same gloss without the ends of the clip."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field, model_validator

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Needs, present
from slr_ray.selection.select.rule import Rule


class EndsCutAgree(Rule):
    """Selects clips with the same gloss when their head and tail are cut off.

    Ours: a clip's first third and last quarter carry no sign (SSL-SLR, arXiv 2509.05188, section
    5.2), so a prediction that rests on them is of the signer's manner and not of the sign.
    """

    kind: Literal["ends_cut_agree"] = "ends_cut_agree"
    head_fraction: float = Field(1 / 3, ge=0, lt=1)
    """Share of a clip's frames cut off at its beginning."""
    tail_fraction: float = Field(1 / 4, ge=0, lt=1)
    """Share cut off at its end."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest probability of the predicted gloss."""

    @model_validator(mode="after")
    def _something_is_cut_and_left(self) -> EndsCutAgree:
        cut = self.head_fraction + self.tail_fraction
        if not 0 < cut < 1:
            raise ValueError(f"head_fraction + tail_fraction must be between 0 and 1, are {cut:g}")
        return self

    @property
    def needs(self) -> Needs:
        return Needs(head_fraction=self.head_fraction, tail_fraction=self.tail_fraction)

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        without = present(candidates.evidence.ends_cut_glosses, "glosses without the ends")
        same = without == candidates.gloss
        return np.flatnonzero(candidates.at_least(self.confidence) & same)
