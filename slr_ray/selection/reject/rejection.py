"""What every rejection is."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.evidence import Evidence, Needs


class Rejection(Config):
    """Clips less familiar than nearly all labelled clips are of no gloss that the model knows.

    The labelled clips were trained on and are more familiar than new clips of the same glosses: of
    these more than 1 - `keep` are rejected. How many, an audit says.
    """

    keep: float = Field(0.95, gt=0, le=1)
    """Share of the labelled clips that are as familiar as a clip must be to stay."""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """The evidence that `familiarity` reads."""

    @abstractmethod
    def familiarity(
        self, evidence: Evidence
    ) -> tuple[Float[np.ndarray, " clips"], Float[np.ndarray, " labelled"]]:
        """How familiar each clip of the pool is, and each labelled one; more is more familiar."""

    def stays(self, evidence: Evidence) -> Bool[np.ndarray, " clips"]:
        """The clips of the pool that are not rejected."""
        clips, labelled = self.familiarity(evidence)
        return clips >= reached_by(labelled, self.keep)


def reached_by(values: Float[np.ndarray, " values"], share: float) -> float:
    """The highest of the values that at least this share of them reaches."""
    # The margin is for what floating point adds to a whole number.
    below = min(int((1 - share) * len(values) + 1e-9), len(values) - 1)
    return float(np.partition(values, below)[below])
