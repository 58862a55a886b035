"""What clips lose by one boundary for all of them (SSL-SLR, section 5.2, figures 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class BoundaryLoss:
    """Clips against boundaries that were tried."""

    own: Int[np.ndarray, " clips"]
    """The boundary with which each clip is recognised most often; of equals the global one."""
    loss: Float[np.ndarray, " clips"]
    """Accuracy with the own boundary minus accuracy with the global one."""

    @property
    def mean(self) -> float:
        return float(self.loss.mean())

    def share_own(self, boundary: int) -> float:
        """Share of the clips whose own boundary is this one (figure 5)."""
        return float((self.own == boundary).mean())

    def mean_of_own(self, boundary: int) -> float | None:
        """Mean loss of those clips (figure 6); None where there are none."""
        own = self.loss[self.own == boundary]
        return float(own.mean()) if len(own) else None


def boundary_loss(
    correct: Bool[np.ndarray, "boundaries repeats clips"], global_boundary: int
) -> BoundaryLoss:
    """`correct`: whether a clip was recognised, by boundary tried and repeated training.

    With two or more repeats a clip's boundary is chosen on one half of them and its accuracy
    taken from the other, both ways around, and the mean of both is the loss; `own` is chosen on all
    of them. The paper takes both from the same trainings, which finds a loss even where boundaries
    make no difference, since the best of several noisy numbers is above their mean. With a single
    repeat that is all that can be done here, too.

    `ValueError` where `global_boundary` is none of those tried.
    """
    num_boundaries, num_repeats, _ = correct.shape
    if not 0 <= global_boundary < num_boundaries:
        raise ValueError(f"there is no boundary {global_boundary} among {num_boundaries}")
    halves = [correct[:, 0::2], correct[:, 1::2]] if num_repeats > 1 else [correct, correct]
    losses = []
    for choosing, judging in (halves, halves[::-1]):
        own = _own(choosing, global_boundary)
        accuracy = judging.mean(axis=1)
        losses.append(np.take_along_axis(accuracy, own[None], axis=0)[0])
        losses[-1] = losses[-1] - accuracy[global_boundary]
    return BoundaryLoss(_own(correct, global_boundary), np.mean(losses, axis=0))


def _own(
    correct: Bool[np.ndarray, "boundaries repeats clips"], global_boundary: int
) -> Int[np.ndarray, " clips"]:
    accuracy = correct.mean(axis=1)
    best = accuracy.argmax(axis=0)
    ties = accuracy[global_boundary] == accuracy.max(axis=0)
    return np.where(ties, global_boundary, best)
