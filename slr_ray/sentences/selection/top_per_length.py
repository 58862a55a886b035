"""The most confident sentences of each length."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.selection.ranked import best_of_groups
from slr_ray.sentences.selection.candidates import SentenceCandidates
from slr_ray.sentences.selection.rule import SentenceRule


class TopPerLength(SentenceRule):
    """Selects the N most confident sentences a round, of each length its share of the pool.

    Ours: SSLR's N most confident clips, told apart by the number of glosses, since a confidence,
    even one by gloss, prefers short sentences. Shares are of the allowed sentences; what rounding
    leaves goes to the largest remainders, the shorter ones of equals.
    """

    kind: Literal["top_per_length"] = "top_per_length"
    num_sentences: int = Field(100, ge=1)
    """N in round 1; later rounds take it times the growth schedule."""
    width: int = Field(1, ge=1)
    """Lengths that count as one: with 2, hypotheses of 1 and 2 glosses are told from 3 and 4."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest confidence of a sentence."""

    def select(self, candidates: SentenceCandidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        group = np.maximum(candidates.lengths - 1, 0) // self.width
        sizes = np.bincount(group[candidates.allowed], minlength=int(group.max(initial=0)) + 1)
        counts = shared_out(round(self.num_sentences * candidates.growth), sizes)
        eligible = np.flatnonzero(candidates.at_least(self.confidence))
        return best_of_groups(candidates.confidence, group, eligible, counts)


def shared_out(count: int, sizes: Int[np.ndarray, " groups"]) -> Int[np.ndarray, " groups"]:
    """So many places over groups by their sizes, none more than its size."""
    count, total = min(count, int(sizes.sum())), max(int(sizes.sum()), 1)
    whole, remainder = np.divmod(count * sizes, total)
    first = np.argsort(-remainder, kind="stable")[: count - int(whole.sum())]
    whole[first] += 1
    return whole
