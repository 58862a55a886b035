"""Sentences as a step trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from slr_ray.sentences.steps import Sequences


@dataclass(frozen=True)
class SentenceBatch:
    """Views of sentences, and what is known of each."""

    inputs: Float[Tensor, "batch frames channels"]
    mask: Bool[Tensor, "batch frames"]
    sequences: Sequences
    segments: Sequence[Bool[np.ndarray, " _"]]
    """Which glosses of each are known well enough to be learnt from."""
    weights: Float32[np.ndarray, " batch"]
    """Of their losses."""
    signing: Int64[np.ndarray, "batch 2"] | None
    """See `signing_steps`; None where no label is made of it."""

    def __len__(self) -> int:
        return len(self.weights)

    def part(self, own: slice) -> SentenceBatch:
        """Some of the sentences."""
        return SentenceBatch(
            self.inputs[own],
            self.mask[own],
            self.sequences[own],
            self.segments[own],
            self.weights[own],
            None if self.signing is None else self.signing[own],
        )
