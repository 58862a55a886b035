"""What every selection rule is."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from jaxtyping import Int

from slr_ray.config import Config
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Needs


class Rule(Config):
    """Which clips of the pool get a pseudo-label."""

    @property
    def needs(self) -> Needs:
        """The evidence that `select` reads besides probabilities and labelled counts."""
        return Needs()

    @abstractmethod
    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending, each once, all allowed."""
