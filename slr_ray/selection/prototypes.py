"""A gloss's prototype: the mean representation of its labelled clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from slr_ray.selection.evidence import Evidence, present

_TINY = 1e-12


@dataclass(frozen=True)
class Prototypes:
    """The prototypes of one round's model. Only their directions are compared."""

    totals: Float[np.ndarray, "glosses width"]
    """Sums over the labelled clips of each gloss."""
    counts: Int[np.ndarray, " glosses"]
    """Labelled clips of each gloss."""

    @classmethod
    def of(cls, evidence: Evidence, num_glosses: int) -> Prototypes:
        labelled = present(evidence.labelled_representations, "labelled representations")
        glosses = present(evidence.labelled_glosses, "labelled glosses")
        totals = np.zeros((num_glosses, labelled.shape[1]), np.float32)
        np.add.at(totals, glosses, labelled.astype(np.float32))
        return cls(totals, np.bincount(glosses, minlength=num_glosses))

    def cosines(
        self, vectors: Float[np.ndarray, "rows width"]
    ) -> Float[np.ndarray, "rows glosses"]:
        """Of vectors with each prototype; -infinity for a gloss that has none."""
        found: np.ndarray = unit(vectors) @ self._directions.T
        found[:, self.counts == 0] = -np.inf
        return found

    @cached_property
    def _directions(self) -> Float[np.ndarray, "glosses width"]:
        return unit(self.totals)


def unit(vectors: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rows width"]:
    """Rows of length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: np.ndarray = (vectors / np.maximum(length, _TINY)).astype(np.float32)
    return found
