"""What a clip is not: negative labels (UPS, Rizve et al. 2021, arXiv 2101.06329)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from pydantic import Field

from slr_ray.config import Config


class Negative(Config):
    """A clip that is not selected still teaches which glosses it surely is not.

    Those of small and steady probability over passes with dropout, the defaults being the
    release's; its loss is the mean of -log(1 - p) over them (section 3). Difference: a clip with
    negative labels is drawn as often as one with a pseudo-label, where the release gives such clips
    half of every batch.
    """

    probability: float = Field(0.05, ge=0, le=1)
    """Highest mean probability of a gloss that a clip is not."""
    deviation: float = Field(0.005, ge=0)
    """Highest standard deviation of that probability over the passes."""
    temperature: float = Field(2.0, gt=0)
    """Of the probabilities compared with these two."""
    weight: float = Field(1.0, gt=0, le=1)
    """Of such a clip's loss, beside a true label's 1."""

    def excluded(
        self, passes: Float[np.ndarray, "passes clips glosses"]
    ) -> Bool[np.ndarray, "clips glosses"]:
        """The glosses that each clip is not, from softmax probabilities of several passes.

        Never the gloss of the highest mean probability.
        """
        powers = passes ** np.float32(1 / self.temperature)
        powers /= powers.sum(axis=2, keepdims=True)
        steady = powers.std(axis=0, ddof=1) <= self.deviation
        found: np.ndarray = steady & (powers.mean(axis=0) <= self.probability)
        found[np.arange(len(found)), passes.mean(axis=0).argmax(axis=1)] = False
        return found
