"""The classifier's word and that of the nearest labelled clips."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from pydantic import Field

from slr_ray.selection.blocks import Step
from slr_ray.selection.evidence import Evidence, Needs, present
from slr_ray.selection.prototypes import Prototypes
from slr_ray.selection.refine.refinement import Refinement


class SemanticBlend(Refinement):
    """p' = (1 - v_k') p + v_k' q, k' the predicted gloss (DASO, Oh et al. 2022).

    q = softmax(cos(representation, prototype) / `temperature`), a prototype being the mean
    representation of a gloss's labelled clips. v = (histogram of the pool's predicted
    glosses)^(1 / `flattening`), divided by its maximum: what is predicted often leans on q most.
    A gloss without labelled clips has no prototype, and q = 0.

    Differences: prototypes of all labelled clips by the round's model, without dropout, instead of
    the last 256 features of an averaged encoder; the histogram is the pool's. The alignment loss of
    views belongs to training step by step.
    """

    temperature: float = Field(0.05, gt=0)
    flattening: float = Field(1.5, gt=0)
    """T of the histogram: 1.5 where pool and labels are distributed alike, else 0.3 (published)."""
    strength: float = Field(1.0, ge=0, le=1)
    """Ours: multiplies v; 1 as published, 0 changes nothing."""

    @property
    def needs(self) -> Needs:
        return Needs(representations=True)

    def step(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> Step:
        num_glosses = probabilities.shape[1]
        represented = present(evidence.representations, "representations")
        prototypes = Prototypes.of(evidence, num_glosses)
        histogram = np.bincount(probabilities.argmax(axis=1), minlength=num_glosses)
        share = histogram / max(int(histogram.max()), 1)
        lean = (self.strength * share ** (1 / self.flattening)).astype(probabilities.dtype)

        def step(block: np.ndarray, rows: slice) -> np.ndarray:
            similarity = prototypes.cosines(represented[rows])
            similarity /= np.float32(self.temperature)
            similarity -= similarity.max(axis=1, keepdims=True)
            np.exp(similarity, out=similarity)
            similarity /= similarity.sum(axis=1, keepdims=True)
            own = lean[block.argmax(axis=1)][:, None]
            blended: np.ndarray = (1 - own) * block + own * similarity
            return blended

        return step
