"""What a rule for sentences decides on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from slr_ray.selection.ranked import Ranked
from slr_ray.sentences.steps import Sequences


@dataclass(frozen=True)
class SentenceCandidates(Ranked):
    """Hypotheses of the unlabelled pool in one round, none of them empty or otherwise rejected.

    Hidden labels are not among them. Rules return rows of these arrays.
    """

    sequences: Sequences
    """The hypotheses."""
    sentence_confidence: Float[np.ndarray, " sentences"]
    """Of each as a whole; `SequenceConfidence` says which."""
    spike_confidence: Sequence[Float[np.ndarray, " _"]]
    """Of each gloss of each hypothesis: its probability at its spike."""
    num_glosses: int
    """Of the corpus."""
    allowed: Bool[np.ndarray, " sentences"]
    round: int
    growth: float

    @property
    def confidence(self) -> Float[np.ndarray, " sentences"]:
        return self.sentence_confidence

    @property
    def lengths(self) -> Int64[np.ndarray, " sentences"]:
        """Glosses of each hypothesis."""
        return np.array([len(one) for one in self.sequences], np.int64)
