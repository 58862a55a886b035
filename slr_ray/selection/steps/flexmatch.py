"""FlexMatch: lower thresholds for glosses learnt slowly (Zhang et al. 2021, arXiv 2110.08263)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from slr_ray.config import Config
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews

_NEVER = -1


class FlexMatchConfig(Config):
    """Curriculum pseudo-labelling: threshold t b / (2 - b) for a gloss of learning effect b."""

    kind: Literal["flexmatch"] = "flexmatch"
    confidence: float = Field(0.95, ge=0, le=1)
    """The threshold t of the gloss that is learnt best (published: 0.95)."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return FlexMatch(self, num_glosses, num_unlabelled)


class FlexMatch(StepRule):
    """The rule: the gloss as which each clip was last predicted above the threshold."""

    selected: Tensor

    def __init__(self, config: FlexMatchConfig, num_glosses: int, num_unlabelled: int) -> None:
        super().__init__()
        self.config, self.num_glosses = config, num_glosses
        self.register_buffer("selected", torch.full((num_unlabelled,), _NEVER))

    def learnt(self) -> Float[Tensor, " glosses"]:
        """b of each gloss: clips selected as it over the most of any gloss (equations 5 to 7, 11).

        While more clips were never selected than that, over their number: the paper's warm-up.
        """
        seen = self.selected[self.selected != _NEVER]
        counts = torch.bincount(seen, minlength=self.num_glosses).float()
        num_never = len(self.selected) - len(seen)
        return counts / counts.max().clamp(min=max(num_never, 1))

    def targets(self, views: WeakViews) -> Targets:
        """What earlier steps selected sets the thresholds; then the step's own clips are noted.

        At first no gloss is learnt: thresholds are 0 and every clip is trained on, as published.
        """
        effect = self.learnt()
        by_gloss = self.config.confidence * effect / (2 - effect)
        gloss, confidence = views.gloss, views.confidence
        threshold = by_gloss[gloss].to(confidence.dtype)
        chosen = (confidence >= threshold).to(confidence.dtype)
        sure = confidence >= self.config.confidence
        self.selected[views.clips[sure]] = gloss[sure]
        return Targets(views.probabilities, chosen, threshold.mean())
