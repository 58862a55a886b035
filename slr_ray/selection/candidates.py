"""What a selection rule decides on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.selection.evidence import Evidence
from slr_ray.selection.ranked import Ranked, best_of_groups


@dataclass(frozen=True)
class Candidates(Ranked):
    """Predictions of the unlabelled pool in one round. Hidden labels are not among them.

    Rules return rows of these arrays; `allowed` marks the rows they may return. There are no
    logits: they are log p up to a constant of the clip, and a million clips of a thousand glosses
    fill 4 GB once.
    """

    probabilities: Float[np.ndarray, "clips glosses"]
    """Calibrated and refined."""
    allowed: Bool[np.ndarray, " clips"]
    round: int
    growth: float
    evidence: Evidence = field(default_factory=Evidence)
    """What else the rule needs."""

    @property
    def num_glosses(self) -> int:
        return int(self.probabilities.shape[1])

    @cached_property
    def confidence(self) -> Float[np.ndarray, " clips"]:
        """The highest probability of each clip."""
        highest: np.ndarray = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def gloss(self) -> Int[np.ndarray, " clips"]:
        """The gloss of the highest probability; the first of equals."""
        first: np.ndarray = self.probabilities.argmax(axis=1)
        return first

    @cached_property
    def num_predicted(self) -> Int[np.ndarray, " glosses"]:
        """Clips of the whole pool predicted as each gloss."""
        return np.bincount(self.gloss, minlength=self.num_glosses)

    def num_of_share(
        self, share: float | Float[np.ndarray, " glosses"]
    ) -> Int[np.ndarray, " glosses"]:
        """A share of the clips predicted as each gloss, rounded up; one or each gloss's own."""
        # Without the margin 0.07 of 100 clips would be 8.
        return np.ceil(share * self.num_predicted - 1e-9).astype(np.int64)

    def most_confident_per_gloss(
        self, eligible: Bool[np.ndarray, " clips"], counts: Int[np.ndarray, " glosses"]
    ) -> Int[np.ndarray, " chosen"]:
        """Of the eligible clips predicted as each gloss, the so many most confident; ascending."""
        return best_of_groups(self.confidence, self.gloss, np.flatnonzero(eligible), counts)
