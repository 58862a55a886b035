"""Rare glosses first."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import present
from slr_ray.selection.select.rule import Rule


class ClassRebalanced(Rule):
    """Selects the most confident share (N_{L+1-l} / N_1)^α of clips predicted as the l-th gloss.

    Glosses in the order of their labelled clips N_1 >= ... >= N_L (CReST, Wei et al. 2021): of the
    rarest gloss all, of the most frequent one the least. Glosses with equally many labels, whose
    order means nothing, take the mean of their shares. With a balanced labelled pool every share is
    1: set `share` then, or another rule.
    """

    kind: Literal["class_rebalanced"] = "class_rebalanced"
    exponent: float = Field(1 / 3, ge=0)
    """α; published 1/3, 0 rebalances nothing."""
    share: float = Field(1.0, gt=0, le=1)
    """Ours: multiplies every share in round 1; later rounds take it times the growth schedule."""

    def select(self, candidates: Candidates) -> Int[np.ndarray, " chosen"]:
        """Rows of the candidates, ascending."""
        counts = present(candidates.evidence.labelled_counts, "labelled counts")
        kept = keep_shares(counts, self.exponent) * min(self.share * candidates.growth, 1.0)
        number = candidates.num_of_share(kept)
        return candidates.most_confident_per_gloss(candidates.allowed, number)


def keep_shares(
    counts: Int[np.ndarray, " glosses"], exponent: float
) -> Float[np.ndarray, " glosses"]:
    """CReST's μ of each gloss, between 0 and 1, from its labelled clips."""
    order = np.argsort(-counts, kind="stable")
    mirrored = np.empty(len(counts))
    # A gloss without a labelled clip counts as one with one.
    mirrored[order] = np.maximum(counts[order[::-1]], 1)
    shares = (mirrored / max(int(counts.max()), 1)) ** exponent
    _, group = np.unique(counts, return_inverse=True)
    means = np.bincount(group, weights=shares) / np.bincount(group)
    found: np.ndarray = means[group]
    return found
