"""What became of the unlabelled clips of an epoch, for people to read."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from slr_ray.corpora.arrays import UNKNOWN_GLOSS, UNLABELLED
from slr_ray.records.measured import UnlabelledFigures
from slr_ray.selection.steps.step_rule import Targets


class Tally:
    """Counts of an epoch, kept on the device so that no step waits for them.

    Hidden labels are looked at here and nowhere else: nothing is decided by them.
    """

    def __init__(self, hidden: Int[Tensor, " pool"], *, can_reject: bool) -> None:
        self.hidden, self.can_reject = hidden, can_reject
        self.is_open = bool((hidden == UNKNOWN_GLOSS).any())
        self.begin()

    def begin(self) -> None:
        """A new epoch."""
        # Steps, their thresholds, clips, those used, and weights: of clips with a hidden label, of
        # those whose pseudo-label it is, of those whose gloss the corpus does not have. Then clips
        # of such glosses and of the corpus's, and how many of either were rejected.
        self._sums = torch.zeros(11, device=self.hidden.device)

    def count(
        self, places: Int[Tensor, " clips"], targets: Targets, stays: Bool[Tensor, " clips"] | None
    ) -> None:
        """The clips of one step, by their places in the pool; None where none can be rejected."""
        hidden, weights = self.hidden[places], targets.weights.float()
        judged = weights * (hidden != UNLABELLED)
        right = judged * (targets.probabilities.argmax(dim=1) == hidden)
        unknown = judged * (hidden == UNKNOWN_GLOSS)
        threshold = weights.new_tensor(float("nan"))
        if targets.threshold is not None:
            threshold = targets.threshold.float()
        one, num_clips = weights.new_ones(()), weights.new_tensor(len(weights))
        used = (weights > 0).sum().float()
        sums = [one, threshold, num_clips, used, judged.sum(), right.sum(), unknown.sum()]
        rejected = torch.zeros_like(hidden, dtype=torch.bool) if stays is None else ~stays
        for kind in (hidden == UNKNOWN_GLOSS, hidden >= 0):
            sums += [kind.sum().float(), (kind & rejected).sum().float()]
        self._sums += torch.stack(sums)

    def figures(self) -> UnlabelledFigures:
        """What the epoch's pseudo-labels were."""
        steps, threshold, clips, used, judged, right, unknown, *kinds = self._sums.tolist()
        foreign, foreign_rejected, own, own_rejected = kinds
        return UnlabelledFigures(
            pseudo_share=used / clips,
            pseudo_threshold=None if np.isnan(threshold) else threshold / steps,
            pseudo_precision=right / judged if judged else None,
            pseudo_unknown=unknown / judged if judged and self.is_open else None,
            rejected_unknown=foreign_rejected / foreign if self.can_reject and foreign else None,
            rejected_wrongly=own_rejected / own if self.can_reject and own else None,
        )
