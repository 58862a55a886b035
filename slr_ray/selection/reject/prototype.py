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

    Ours, with the distance that `refine.semantic` has: the cosine of representations. A labelled
    clip is compared with its gloss's prototype without itself, so that a gloss of few clips does
    not look nearer than it is; where it is the only one, with those of other glosses.
    """

    kind: Literal["prototype"] = "prototype"

    @property
    def needs(self) -> Needs:
        return Needs(representations=True)

    def familiarity(
        self, evidence: Evidence
    ) -> tuple[Float[np.ndarray, " clips"], Float[np.ndarray, " labelled"]]:
        """Cosines with the nearest prototype, between -1 and 1."""
        num_glosses = len(present(evidence.labelled_counts, "labelled counts"))
        prototypes = Prototypes.of(evidence, num_glosses)
        clips = present(evidence.representations, "representations")
        of_clips, of_labelled = np.empty(len(clips)), np.empty(len(prototypes.labelled))
        for rows in blocks(len(clips), num_glosses):
            of_clips[rows] = prototypes.cosines(clips[rows]).max(axis=1)
        for rows in blocks(len(of_labelled), num_glosses):
            of_labelled[rows] = prototypes.cosines_without_own(rows).max(axis=1)
        return of_clips, of_labelled
