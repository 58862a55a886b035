"""Each clip's own boundary beside the one for all (SSL-SLR, section 5.2, figures 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from slr_ray.boundaries.algorithms import FoundBoundary
from slr_ray.boundaries.loss import BoundaryLoss, boundary_loss
from slr_ray.boundaries.trainings import Training


@dataclass(frozen=True)
class OwnBoundaries:
    """Of the validation clips, at one end."""

    end: Literal["head", "tail"]
    fractions: tuple[float, ...]
    """What was tried, ascending; `loss.own` points into it."""
    loss: BoundaryLoss

    def described(self) -> dict[str, Any]:
        """For the record: what was tried, how many clips have it for their own, what they lose."""
        tried = range(len(self.fractions))
        return {
            "fractions": self.fractions,
            "share_of_clips": [self.loss.share_own(one) for one in tried],
            "loss_by_own": [self.loss.mean_of_own(one) for one in tried],
            "mean_loss": self.loss.mean,
        }


def own_boundaries(trainings: Sequence[Training], found: FoundBoundary) -> list[OwnBoundaries]:
    """Heads, then tails, from the trainings whose other end is untouched.

    Algorithm 1 trains no two ends at once. An end is left out where fewer than two boundaries were
    tried, or none repeatedly.
    """
    known = [
        _at(trainings, "head", found.head_fraction),
        _at(trainings, "tail", found.tail_fraction),
    ]
    return [one for one in known if one is not None]


def _at(
    trainings: Sequence[Training], end: Literal["head", "tail"], for_all: float
) -> OwnBoundaries | None:
    other = "tail" if end == "head" else "head"
    by_fraction: dict[float, list[np.ndarray]] = {}
    for one in trainings:
        if getattr(one, f"{other}_fraction") == 0:
            by_fraction.setdefault(getattr(one, f"{end}_fraction"), []).append(one.recognised())
    repeats = {len(one) for one in by_fraction.values()}
    if len(by_fraction) < 2 or len(repeats) != 1 or repeats == {1}:
        return None
    tried = sorted(by_fraction)
    nearest = int(np.argmin([abs(one - for_all) for one in tried]))
    correct = np.array([by_fraction[one] for one in tried])
    return OwnBoundaries(end, tuple(tried), boundary_loss(correct, nearest))
