"""The surest segments of each gloss, wherever they stand."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Int
from pydantic import Field

from slr_ray.selection.ranked import best_of_groups
from slr_ray.sentences.selection.candidates import SentenceCandidates
from slr_ray.sentences.selection.rule import SentenceRule


class SegmentWise(SentenceRule):
    """Selects the k most confident segments of each predicted gloss a round: SSLR's "per class".

    Only these segments give dense labels; the rest of their sentences is ignored. CTC, which takes
    whole sequences, learns from those sentences alone of which every gloss was selected.
    """

    kind: Literal["segment_wise"] = "segment_wise"
    num_segments: int = Field(10, ge=1)
    """k in round 1; later rounds take it times the growth schedule."""
    confidence: float = Field(0.0, ge=0, le=1)
    """Lowest probability of a gloss at its spike."""

    def select(self, candidates: SentenceCandidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates with at least one such segment, ascending."""
        return np.flatnonzero([one.any() for one in self.segments(candidates)])

    def segments(self, candidates: SentenceCandidates) -> list[Bool[np.ndarray, " _"]]:
        """Which glosses of each candidate's hypothesis."""
        lengths = candidates.lengths
        glosses = np.concatenate([*candidates.sequences, np.empty(0, np.int64)])
        sure = np.concatenate([*candidates.spike_confidence, np.empty(0)])
        eligible = np.repeat(candidates.allowed, lengths) & (sure >= self.confidence)
        counts = np.full(candidates.num_glosses, round(self.num_segments * candidates.growth))
        chosen = np.zeros(len(glosses), bool)
        chosen[best_of_groups(sure, glosses, np.flatnonzero(eligible), counts)] = True
        return np.split(chosen, lengths.cumsum())[:-1]
