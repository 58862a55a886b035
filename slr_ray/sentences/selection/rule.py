"""What every rule is that is for sentences only."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from jaxtyping import Int

from slr_ray.config import Config
from slr_ray.sentences.selection.candidates import SentenceCandidates


class SentenceRule(Config):
    """Which sentences of the pool get a pseudo-label."""

    @abstractmethod
    def select(self, candidates: SentenceCandidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending, each once, all allowed."""
