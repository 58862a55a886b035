"""DebiasPL: pseudo-labels freed of the model's bias (Wang et al. 2022, arXiv 2201.01490)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.steps.slow_mean import SlowMean
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews

_SMALLEST = 1e-12


class DebiasPLConfig(Config):
    """softmax(z - t log q) labels, softmax(z + t log q) learns; q: slow mean of predictions.

    Published with `method.weight` 10.
    """

    kind: Literal["debiaspl"] = "debiaspl"
    strength: float = Field(0.4, ge=0)
    """t above (scripts of the release: 0.4)."""
    confidence: float = Field(0.8, ge=0, le=1)
    """Lowest debiased probability of the predicted gloss (scripts of the release: 0.8)."""
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay a step of q (published: 0.999, and 0.99 for 0.2 % of labels)."""
    bounded_horizon: bool = True
    """Keep that decay's horizon below a third of the steps so far; false as published."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return DebiasPL(self, num_glosses)


class DebiasPL(StepRule):
    """The rule: q, the slow mean of the teacher's probabilities over all clips of a step, which are
    aligned ones unless the method's `distribution_alignment` is none, as published.

    The release's option of a q over chosen clips only (`masked_qhat`) is broken and left out.
    """

    def __init__(self, config: DebiasPLConfig, num_glosses: int) -> None:
        super().__init__()
        self.config = config
        even = torch.full((num_glosses,), 1 / num_glosses)
        self.bias = SlowMean(even, config.ema_decay, bounded=config.bounded_horizon)

    def targets(self, views: WeakViews) -> Targets:
        """Labels by q of earlier steps, the margin by q with this step, as the release has them."""
        config, p = self.config, views.probabilities
        logits = p.clamp(min=_SMALLEST).log()
        before = self.bias.value.clamp(min=_SMALLEST).log()
        debiased = (logits - config.strength * before).softmax(dim=1)
        self.bias.update(p.mean(dim=0))
        chosen = (debiased.max(dim=1).values >= config.confidence).to(p.dtype)
        margin = config.strength * self.bias.value.clamp(min=_SMALLEST).log()
        return Targets(debiased, chosen, p.new_tensor(config.confidence), margin)
