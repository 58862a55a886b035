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

    def __init__(self, hidden: Int[Tensor, " pool"]) -> None:
        self.hidden = hidden
        self.is_open = bool((hidden == UNKNOWN_GLOSS).any())
        self.begin()

    def begin(self) -> None:
        """A new epoch."""
        # Steps, their thresholds, clips, those used, and weights: of clips with a hidden label, of
        # those whose pseudo-label it is, of those whose gloss the corpus does not have.
        self._sums = torch.zeros(7, device=self.hidden.device)
        self._rejected: dict[str, float] = {}

    def reject(self, rows: Int[np.ndarray, " rows"], stays: Bool[np.ndarray, " rows"]) -> None:
        """The rows of the pool that were looked at, and which of them were not rejected."""
        hidden = self.hidden.cpu().numpy()[rows]
        groups = {
            "rejected": np.ones(len(rows), bool),
            "rejected_unknown": hidden == UNKNOWN_GLOSS,
            "rejected_wrongly": hidden >= 0,
        }
        self._rejected = {
            name: float(np.mean(~stays[group])) for name, group in groups.items() if group.any()
        }

    def count(self, places: Int[Tensor, " clips"], targets: Targets) -> None:
        """The clips of one step, by their places in the pool."""
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
        self._sums += torch.stack(sums)

    def figures(self) -> UnlabelledFigures:
        """What the epoch's pseudo-labels were."""
        steps, threshold, clips, used, judged, right, unknown = self._sums.tolist()
        return UnlabelledFigures(
            # No clip at all where all were rejected.
            pseudo_share=used / clips if clips else 0.0,
            pseudo_threshold=None if np.isnan(threshold) or not steps else threshold / steps,
            pseudo_precision=right / judged if judged else None,
            pseudo_unknown=unknown / judged if judged and self.is_open else None,
            **self._rejected,
        )
