"""What clips and sentences have in common for whoever chooses among them: a confidence each."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Bool, Float, Int


class Ranked(ABC):
    """Rows of a pool with a confidence each, of which a rule returns some.

    Rules that need no more than this choose clips and sentences alike.
    """

    allowed: Bool[np.ndarray, " rows"]
    """False on what an earlier round has added for good."""
    round: int
    """The round that will train on the selection; the first one that selects is round 1."""
    growth: float
    """How many times the first round's number this round may take."""

    @property
    @abstractmethod
    def confidence(self) -> Float[np.ndarray, " rows"]:
        """Of each row, between 0 and 1."""

    def at_least(self, confidence: float) -> Bool[np.ndarray, " rows"]:
        """The allowed rows of at least this confidence."""
        return self.allowed & (self.confidence >= confidence)

    def most_confident(
        self, rows: Int[np.ndarray, " rows"], count: int
    ) -> Int[np.ndarray, " chosen"]:
        """The `count` most confident of `rows`, ascending; among equals, the earlier rows."""
        order = np.argsort(-self.confidence[rows], kind="stable")
        return np.sort(rows[order[:count]])

    def top_share(self, share: float) -> Int[np.ndarray, " chosen"]:
        """Allowed rows among the most confident share of the pool; equals of the last one, too.

        The threshold is a quantile of the whole pool, rows that are not allowed included.
        """
        if not len(self.confidence):
            return np.empty(0, np.int64)
        # Where NumPy's quantile is; the margin is for what floating point adds to a whole number.
        place = int(np.ceil((1 - share) * (len(self.confidence) - 1) - 1e-9))
        return np.flatnonzero(self.at_least(float(np.partition(self.confidence, place)[place])))


def best_of_groups(
    confidence: Float[np.ndarray, " all"],
    group: Int[np.ndarray, " all"],
    rows: Int[np.ndarray, " rows"],
    counts: Int[np.ndarray, " groups"],
) -> Int[np.ndarray, " chosen"]:
    """Of the rows of each group, the so many most confident; ascending."""
    # Stable: among equals, the earlier rows.
    rows = rows[np.lexsort((-confidence[rows], group[rows]))]
    own = group[rows]
    first = np.searchsorted(own, np.arange(len(counts)))
    rank = np.arange(len(rows)) - first[own]
    return np.sort(rows[rank < counts[own]])
