"""Rejection by energy in every step."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from slr_ray.selection.reject.energy import Energy
from slr_ray.selection.steps.slow_mean import SlowMean

_DECAY = 0.99


class StepRejection(nn.Module):
    """Which unlabelled clips of a step are not rejected (Liu et al. 2020, arXiv 2010.03759).

    The energy that the share `keep` of a step's labelled clips does not exceed, by the teacher on
    the views that they are trained on, is followed slowly, over a hundred steps: the model that
    gives the energies changes.
    """

    def __init__(self, settings: Energy) -> None:
        super().__init__()
        self.keep = settings.keep
        self.highest = SlowMean(torch.zeros(()), _DECAY, bounded=True)

    def stays(
        self, weak: Float[Tensor, "clips glosses"], labelled: Float[Tensor, "labelled glosses"]
    ) -> Bool[Tensor, " clips"]:
        """From the logits of weak views and of the step's labelled clips; called once a step."""
        own = -labelled.logsumexp(dim=1)
        self.highest.update(own.quantile(self.keep))
        return -weak.logsumexp(dim=1) <= self.highest.value
