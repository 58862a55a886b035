"""How sure a model is of a hypothesis, between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64
from pydantic import Field

from slr_ray.config import Config
from slr_ray.sentences.alignment import num_errors
from slr_ray.sentences.decoding import Spikes
from slr_ray.sentences.steps import Sequences


class SequenceConfidence(Config):
    """Which confidence of sentences rules and weights go by."""

    measure: Literal["likelihood", "views", "margin", "likelihood_and_views"] = "likelihood"
    """`likelihood`: that of the hypothesis, by gloss; `views`: how far those of augmented views
    agree with it; `margin`: how far the second best one is behind; or the product of the first
    two."""
    num_views: int = Field(4, ge=1)
    """For what compares views."""

    @property
    def compares_views(self) -> bool:
        """Whether views are decoded, too."""
        return "views" in self.measure


def by_likelihood(
    log_likelihoods: Float64[np.ndarray, " sentences"], num_glosses: Int64[np.ndarray, " sentences"]
) -> Float64[np.ndarray, " sentences"]:
    """P(hypothesis | clip)^(1 / glosses): the geometric mean over its glosses.

    The whole power would prefer short sentences even more. `log_likelihoods` are sums over all
    paths (`lattice.log_likelihoods`).
    """
    sure: np.ndarray = np.exp(log_likelihoods / np.maximum(num_glosses, 1))
    return sure


def by_views(
    hypotheses: Sequences, views: Sequence[Sequences]
) -> Float64[np.ndarray, " sentences"]:
    """1 - the mean over views of the edits between the hypothesis and the view's.

    Edits are divided by the longer sequence, so that nothing is below 0, as 1 - WER would be; two
    empty ones agree. `views` has one hypothesis a sentence for every view.
    """
    agreement: np.ndarray = np.ones(len(hypotheses))
    for row, hypothesis in enumerate(hypotheses):
        apart = [
            num_errors(view[row], hypothesis) / max(len(view[row]), len(hypothesis), 1)
            for view in views
        ]
        agreement[row] -= np.mean(apart)
    return agreement


def by_margin(
    best: Float64[np.ndarray, " sentences"], second: Float64[np.ndarray, " sentences"]
) -> Float64[np.ndarray, " sentences"]:
    """1 - P(second) / P(best) of a beam's two most probable sequences, given as logarithms.

    1 where there is no second, of probability 0.
    """
    margin: np.ndarray = 1 - np.exp(second - best)
    return margin


def spike_confidence(
    log_probs: Float[np.ndarray, "steps classes"], spikes: Spikes
) -> Float64[np.ndarray, " glosses"]:
    """Probability of each gloss at its spike, the blank among the alternatives."""
    sure: np.ndarray = np.exp(log_probs[spikes.steps, spikes.glosses + 1].astype(np.float64))
    return sure
