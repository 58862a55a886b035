"""What a selection rule decides on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Candidates:
    """Predictions of the unlabelled pool in one round. Hidden labels are not among them.

    Rules return rows of these arrays; `allowed` marks the rows they may return.
    """

    probabilities: Float[np.ndarray, "clips glosses"]
    allowed: Bool[np.ndarray, " clips"]
    """False on clips that an earlier round has added for good."""
    round: int
    """The round that will train on the selection; the first one that selects is round 1."""
    growth: float
    """How many times the first round's number of clips this round may take."""

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

    def most_confident(
        self, rows: Int[np.ndarray, " rows"], count: int
    ) -> Int[np.ndarray, " chosen"]:
        """The `count` most confident of `rows`; among equals, the earlier rows."""
        order = np.argsort(-self.confidence[rows], kind="stable")
        return rows[order[:count]]
