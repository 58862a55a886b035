"""Intra-class inertia: how closely the clips of one gloss lie together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Inertia:
    """Mean squared Euclidean distances, in the representation's own unit squared."""

    within: float
    """Of a clip to the mean of its gloss: the intra-class inertia."""
    total: float
    """Of a clip to the mean of all clips."""

    @property
    def share(self) -> float:
        """`within` / `total`, between 0 and 1; NaN where all clips have one representation.

        `within` alone is smallest for an encoder that maps all clips to one point, and doubles
        with the representation; the share does neither.
        """
        return self.within / self.total if self.total > 0 else float("nan")


def intra_class_inertia(
    representations: Float[np.ndarray, "clips dim"], glosses: Int[np.ndarray, " clips"]
) -> Inertia:
    """The inertia of SSL-SLR's table 5 (section 6.3.1).

    The paper names it without a formula. Here it is the textbook one of analysis of variance: the
    mean over clips of the squared distance to the mean of the clip's gloss; glosses count by their
    clips. `ValueError` without clips.
    """
    if not len(glosses):
        raise ValueError("no clip to measure the inertia of")
    wide = representations.astype(np.float64)
    _, gloss = np.unique(glosses, return_inverse=True)
    counts = np.bincount(gloss)
    sums = np.zeros((len(counts), wide.shape[1]))
    np.add.at(sums, gloss, wide)
    means = sums / counts[:, None]
    within = float(np.square(wide - means[gloss]).sum(axis=1).mean())
    total = float(np.square(wide - wide.mean(axis=0)).sum(axis=1).mean())
    return Inertia(within, total)
