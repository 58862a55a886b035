"""FreeMatch: thresholds that follow the model (Wang et al. 2023, arXiv 2205.07246)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from slr_ray.config import Config
from slr_ray.selection.steps.slow_mean import SlowMean
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews

_SMALLEST = 1e-12


class FreeMatchConfig(Config):
    """Self-adaptive thresholds, one for each gloss (equations 5 to 8), and fairness (9 to 12)."""

    kind: Literal["freematch"] = "freematch"
    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Decay a step of what the thresholds follow (published: 0.999)."""
    bounded_horizon: bool = True
    """Keep that decay's horizon below a third of the steps so far; false as published."""
    lowest: float = Field(0.0, ge=0, le=1)
    """No gloss's threshold falls below this (published: 0; the paper's SVHN: 0.9)."""
    fairness: float = Field(0.0, ge=0)
    """Weight of the loss that keeps predictions even over glosses (published: 0.001 to 0.05)."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return FreeMatch(self, num_glosses)


class FreeMatch(StepRule):
    """The rule: mean confidence, mean probabilities and pseudo-label frequencies, all slow."""

    def __init__(self, config: FreeMatchConfig, num_glosses: int) -> None:
        super().__init__()
        self.config = config

        def slow(start: Tensor) -> SlowMean:
            return SlowMean(start, config.ema_decay, bounded=config.bounded_horizon)

        even = torch.full((num_glosses,), 1 / num_glosses)
        self.level = slow(torch.tensor(1 / num_glosses))
        self.mean = slow(even)
        self.frequency = slow(even)

    def targets(self, views: WeakViews) -> Targets:
        """The step's own clips count in the thresholds (algorithm 1)."""
        p, gloss = views.probabilities, views.gloss
        self.level.update(views.confidence.mean())
        self.mean.update(p.mean(dim=0))
        counts = torch.bincount(gloss, minlength=p.shape[1]).to(p.dtype)
        self.frequency.update(counts / len(p))
        by_gloss = self.level.value * self.mean.value / self.mean.value.max()
        threshold = by_gloss.clamp(min=self.config.lowest)[gloss]
        chosen = (views.confidence >= threshold).to(p.dtype)
        return Targets(p, chosen, threshold.mean())

    def extra_loss(
        self,
        logits: Float[Tensor, "clips glosses"],
        represented: Float[Tensor, "clips width"] | None,
        targets: Targets,
    ) -> Float[Tensor, ""]:
        """Self-adaptive fairness: -H(even(p~ / h~), even(p / h)) over the chosen clips.

        h are frequencies of predicted glosses. A gloss that none of the step's clips predicts has
        no 1 / h: it is left out of both sides, which the authors' code does for one side only.
        """
        chosen = targets.weights > 0
        if not self.config.fairness or not bool(chosen.any()):
            return logits.new_zeros(())
        p = logits[chosen].softmax(dim=1)
        counts = torch.bincount(p.argmax(dim=1), minlength=p.shape[1]).to(p.dtype)
        seen = (counts > 0) & (self.frequency.value > 0)
        if not bool(seen.any()):
            return logits.new_zeros(())
        wanted = self.mean.value[seen] / self.frequency.value[seen]
        own = p.mean(dim=0)[seen] / (counts[seen] / len(p))
        wanted, own = wanted / wanted.sum(), own / own.sum()
        return self.config.fairness * (wanted * (own + _SMALLEST).log()).sum()
