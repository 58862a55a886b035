"""FixMatch: one threshold for all (Sohn et al. 2020, arXiv 2001.07685, equation 4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slr_ray.config import Config
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews


class FixMatchConfig(Config):
    """Trains on the clips with max p >= `confidence`."""

    kind: Literal["fixmatch"] = "fixmatch"
    confidence: float = Field(0.95, ge=0, le=1)
    """Lowest probability of the predicted gloss (published: 0.95)."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return FixMatch(self)


class FixMatch(StepRule):
    """The rule; it remembers nothing."""

    def __init__(self, config: FixMatchConfig) -> None:
        super().__init__()
        self.config = config

    def targets(self, views: WeakViews) -> Targets:
        """Weight 1 from the threshold on."""
        confidence = views.confidence
        chosen = (confidence >= self.config.confidence).to(confidence.dtype)
        threshold = confidence.new_tensor(self.config.confidence)
        return Targets(views.probabilities, chosen, threshold)
