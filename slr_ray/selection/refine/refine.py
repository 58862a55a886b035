"""The refinements of a round, in their order.

A new refinement is one file with a `Refinement` and one field here. They are named fields instead
of a list, so that a search space can address each.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from jaxtyping import Float

from slr_ray.config import Config
from slr_ray.selection.blocks import apply_step
from slr_ray.selection.evidence import Evidence, Needs
from slr_ray.selection.refine.debias import Debias
from slr_ray.selection.refine.distribution_alignment import DistributionAlignment
from slr_ray.selection.refine.refinement import Refinement
from slr_ray.selection.refine.semantic_blend import SemanticBlend
from slr_ray.selection.refine.temperature import Temperature


class Refine(Config):
    """What happens to probabilities before selection: each field is applied in this order."""

    temperature: Temperature | None = None
    debias: Debias | None = None
    alignment: DistributionAlignment | None = None
    semantic: SemanticBlend | None = None

    @property
    def steps(self) -> list[Refinement]:
        """Those that are set, in the order of the fields."""
        every = (getattr(self, name) for name in type(self).model_fields)
        return [one for one in every if one is not None]

    @property
    def needs(self) -> Needs:
        return reduce(Needs.__or__, (one.needs for one in self.steps), Needs())

    def apply(self, probabilities: Float[np.ndarray, "clips glosses"], evidence: Evidence) -> None:
        """Refine in place, one after the other: each fits what the one before it left."""
        apply_refinements(self.steps, probabilities, evidence)


def apply_refinements(
    steps: list[Refinement],
    probabilities: Float[np.ndarray, "clips glosses"],
    evidence: Evidence,
) -> None:
    """The same for a list of them, such as one of a new kind."""
    for one in steps:
        apply_step(probabilities, one.step(probabilities, evidence))
