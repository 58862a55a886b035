"""What every refinement is."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from jaxtyping import Float

from slr_ray.config import Config
from slr_ray.selection.blocks import Step
from slr_ray.selection.evidence import Evidence, Needs


class Refinement(Config):
    """Candidates' probabilities → probabilities, by statistics of the whole pool."""

    @property
    def needs(self) -> Needs:
        """The evidence that `step` reads."""
        return Needs()

    @abstractmethod
    def step(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> Step:
        """The map of rows that fits this pool; `probabilities` are those before it."""
