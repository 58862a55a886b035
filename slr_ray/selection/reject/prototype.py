"""By distance to the nearest gloss."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from slr_ray.selection.blocks import blocks
from slr_ray.selection.evidence import Evidence, Needs, present
from slr_ray.selection.prototypes import Prototypes
from slr_ray.selection.reject.rejection import Rejection


class Prototype(Rejection):
    """Rejects clips far from every prototype, the mean representation of a gloss's labelled clips.

    Ours, with the distance that `refine.semantic` has: the cosine of representations.
    """

    kind: Literal["prototype"] = "prototype"

    @property
    def needs(self) -> Needs:
        return Needs(representations=True, validation=True)

    def familiarity(
        self, evidence: Evidence
    ) -> tuple[Float[np.ndarray, " clips"], Float[np.ndarray, " validation"]]:
        """Cosines with the nearest prototype, between -1 and 1."""
        num_glosses = len(present(evidence.labelled_counts, "labelled counts"))
        prototypes = Prototypes.of(evidence, num_glosses)

        def nearest(vectors: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, " rows"]:
            found = np.empty(len(vectors))
            for rows in blocks(len(vectors), num_glosses):
                found[rows] = prototypes.cosines(vectors[rows]).max(axis=1)
            return found

        return (
            nearest(present(evidence.representations, "representations")),
            nearest(present(evidence.validation_representations, "representations of validation")),
        )
