"""SoftMatch: every clip, weighed by its confidence (Chen et al. 2023, arXiv 2301.10921)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.steps.alignment import Alignment
from slr_ray.selection.steps.slow_mean import SlowMean
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews


class SoftMatchConfig(Config):
    """Weight exp(-min(max p - m, 0)^2 / (2 s^2 / n^2)): a truncated Gaussian (equations 5 to 8)."""

    kind: Literal["softmatch"] = "softmatch"
    num_deviations: float = Field(2.0, gt=0)
    """n above: the more, the less a doubtful clip weighs (published: 2)."""
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay a step of mean and variance of the confidence (published: 0.999)."""
    bounded_horizon: bool = True
    """Keep that decay's horizon below a third of the steps so far; false as published."""
    uniform_alignment: bool = True
    """Weigh by probabilities aligned to even frequencies (section 3.3); pseudo-labels stay as the
    method's `distribution_alignment` leaves them (published: none)."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return SoftMatch(self, num_glosses)


class SoftMatch(StepRule):
    """The rule: mean and variance of the confidence, slow, and the alignment's mean."""

    def __init__(self, config: SoftMatchConfig, num_glosses: int) -> None:
        super().__init__()
        self.config = config
        decay, bounded = config.ema_decay, config.bounded_horizon
        self.mean = SlowMean(torch.tensor(1 / num_glosses), decay, bounded=bounded)
        self.variance = SlowMean(torch.tensor(1.0), decay, bounded=bounded)
        even = torch.full((num_glosses,), 1 / num_glosses)
        self.alignment: Alignment | None = None
        if config.uniform_alignment:
            self.alignment = Alignment(even, decay=decay, bounded=bounded)

    def targets(self, views: WeakViews) -> Targets:
        """The step's own clips count in mean and variance; what is told as threshold is the mean.

        A step of one clip has no variance and leaves it as it is.
        """
        p = views.probabilities
        confidence = views.confidence
        if self.alignment is not None:
            confidence = self.alignment(p).max(dim=1).values
        self.mean.update(confidence.mean())
        if len(confidence) > 1:
            self.variance.update(confidence.var())
        below = (confidence - self.mean.value).clamp(max=0)
        width = 2 * self.variance.value / self.config.num_deviations**2
        weights = (-(below**2) / width.clamp(min=1e-12)).exp()
        return Targets(p, weights, self.mean.value.clone())
