"""What a selection rule decides on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.selection.evidence import Evidence


@dataclass(frozen=True)
class Candidates:
    """Predictions of the unlabelled pool in one round. Hidden labels are not among them.

    Rules return rows of these arrays; `allowed` marks the rows they may return. There are no
    logits: they are log p up to a constant of the clip, and a million clips of a thousand glosses
    fill 4 GB once.
    """

    probabilities: Float[np.ndarray, "clips glosses"]
    """Calibrated and refined."""
    allowed: Bool[np.ndarray, " clips"]
    """False on clips that an earlier round has added for good."""
    round: int
    """The round that will train on the selection; the first one that selects is round 1."""
    growth: float
    """How many times the first round's number of clips this round may take."""
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

    def at_least(self, confidence: float) -> Bool[np.ndarray, " clips"]:
        """The allowed clips of at least this confidence."""
        return self.allowed & (self.confidence >= confidence)

    def most_confident(
        self, rows: Int[np.ndarray, " rows"], count: int
    ) -> Int[np.ndarray, " chosen"]:
        """The `count` most confident of `rows`, ascending; among equals, the earlier rows."""
        order = np.argsort(-self.confidence[rows], kind="stable")
        return np.sort(rows[order[:count]])

    def most_confident_per_gloss(
        self, eligible: Bool[np.ndarray, " clips"], counts: Int[np.ndarray, " glosses"]
    ) -> Int[np.ndarray, " chosen"]:
        """Of the eligible clips predicted as each gloss, the so many most confident; ascending."""
        rows = np.flatnonzero(eligible)
        # Stable: among equals, the earlier rows.
        rows = rows[np.lexsort((-self.confidence[rows], self.gloss[rows]))]
        gloss = self.gloss[rows]
        first = np.searchsorted(gloss, np.arange(self.num_glosses))
        rank = np.arange(len(rows)) - first[gloss]
        return np.sort(rows[rank < counts[gloss]])

    def top_share(self, share: float) -> Int[np.ndarray, " chosen"]:
        """Allowed rows among the most confident share of the pool; equals of the last one, too.

        The threshold is a quantile of the whole pool, clips that are not allowed included.
        """
        if not len(self.confidence):
            return np.empty(0, np.int64)
        # Where NumPy's quantile is; the margin is for what floating point adds to a whole number.
        place = int(np.ceil((1 - share) * (len(self.confidence) - 1) - 1e-9))
        return np.flatnonzero(self.at_least(float(np.partition(self.confidence, place)[place])))
