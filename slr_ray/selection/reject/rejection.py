"""What every rejection is."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.evidence import Evidence, Needs

_ROUNDING = 1e-6


class Rejection(Config):
    """Clips less familiar than nearly all of known glosses are of no gloss that the model knows.

    Validation clips tell how familiar those are, without their labels: the model has not learnt
    from them. A few labelled clips, or views of them, it has learnt by heart, and held against
    these most of the pool is strange (reports/2026-11-27-few-labels.md). How many are rejected, an
    audit says, in steps the figures of an epoch.
    """

    keep: float = Field(0.95, gt=0, le=1)
    """Share of the validation clips that are as familiar as a clip must be to stay."""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """The evidence that `familiarity` reads."""

    @abstractmethod
    def familiarity(
        self, evidence: Evidence
    ) -> tuple[Float[np.ndarray, " clips"], Float[np.ndarray, " validation"]]:
        """How familiar the pool's clips are, and validation's; more is more familiar."""

    def stays(self, evidence: Evidence) -> Bool[np.ndarray, " clips"]:
        """The clips of the pool that are not rejected."""
        clips, validation = self.familiarity(evidence)
        least = reached_by(validation, self.keep)
        # A clip as familiar as that: sums over another number of rows may be rounded otherwise.
        return clips >= least - _ROUNDING * max(1.0, abs(least))


def reached_by(values: Float[np.ndarray, " values"], share: float) -> float:
    """The highest of the values that at least this share of them reaches."""
    # The margin is for what floating point adds to a whole number.
    below = min(int((1 - share) * len(values) + 1e-9), len(values) - 1)
    return float(np.partition(values, below)[below])
