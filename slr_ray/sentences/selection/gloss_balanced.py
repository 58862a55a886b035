"""Sentences with the glosses that the selection has too few of."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field

from slr_ray.sentences.selection.candidates import SentenceCandidates
from slr_ray.sentences.selection.rule import SentenceRule


class GlossBalanced(SentenceRule):
    """Selects N sentences a round, one by one, each for the gloss that was selected least so far.

    Ours: the greedy cover. Of that gloss's sentences that are left it takes the most confident one,
    whose other glosses count, too. Between glosses that were selected equally often the one goes
    first that the pool has least of, then the first. A gloss without sentences left is passed over.
    """

    kind: Literal["gloss_balanced"] = "gloss_balanced"
    num_sentences: int = Field(100, ge=1)
    """N in round 1; later rounds take it times the growth schedule."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest confidence of a sentence."""

    def select(self, candidates: SentenceCandidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        eligible = candidates.at_least(self.confidence) & (candidates.lengths > 0)
        rows = np.flatnonzero(eligible)
        rows = rows[np.argsort(-candidates.confidence[rows], kind="stable")]
        waiting: list[list[int]] = [[] for _ in range(candidates.num_glosses)]
        # The most confident one last, where it is taken from.
        for row in reversed(rows.tolist()):
            for gloss in set(candidates.sequences[row].tolist()):
                waiting[gloss].append(row)
        in_pool = np.array([len(one) for one in waiting], np.int64)
        # Both orders in one number: times selected, then sentences in the pool.
        wanted = in_pool.astype(np.float64) / (len(rows) + 1)
        wanted[in_pool == 0] = np.inf
        chosen: set[int] = set()
        while len(chosen) < min(round(self.num_sentences * candidates.growth), len(rows)):
            gloss = int(wanted.argmin())
            while waiting[gloss] and waiting[gloss][-1] in chosen:
                waiting[gloss].pop()
            if not waiting[gloss]:
                wanted[gloss] = np.inf
                continue
            row = waiting[gloss].pop()
            chosen.add(row)
            np.add.at(wanted, candidates.sequences[row], 1.0)
        return np.array(sorted(chosen), np.int64)
