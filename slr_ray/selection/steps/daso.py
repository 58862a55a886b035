"""DASO: pseudo-labels blended with what prototypes say (Oh et al. 2022, arXiv 2106.05682)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.selection.steps.prototypes import Prototypes
from slr_ray.selection.steps.step_rule import StepRule, Targets, WeakViews


class DasoConfig(Config):
    """p' = (1 - v) p + v q: v by how often the predicted gloss is a pseudo-label, q by prototypes.

    The more a gloss is predicted, the more its pseudo-labels follow the prototypes.
    """

    kind: Literal["daso"] = "daso"
    confidence: float = Field(0.95, ge=0, le=1)
    """Lowest blended probability of the predicted gloss (published: 0.95)."""
    semantic_temperature: float = Field(0.05, gt=0)
    """Of similarities to prototypes (published: 0.05)."""
    frequency_temperature: float = Field(1.5, gt=0)
    """v = frequency^(1 / this), over its maximum. Published: 1.5 where glosses are as frequent
    among unlabelled clips as among labelled ones, else 0.3."""
    semantic_weight: float = Field(1.0, ge=0)
    """Of the loss between the prototypes' answers to both views (published: 1)."""
    memory_clips: int = Field(256, ge=1)
    """Representations of labelled clips a gloss whose mean is its prototype (published: 256)."""
    frequency_steps: int = Field(100, ge=1)
    """Steps after which frequencies of pseudo-labels are counted anew (published: 100)."""
    plain_fraction: float = Field(0.02, ge=0, le=1)
    """Share of the training's steps without prototypes (published: 5,000 of 250,000). They also
    wait for the first frequencies."""

    def build(self, num_glosses: int, num_unlabelled: int, width: int) -> StepRule:
        return Daso(self, num_glosses, width)


@dataclass(frozen=True)
class SemanticTargets(Targets):
    """Targets with the prototypes' own answer."""

    semantic: Float[Tensor, "clips glosses"] | None = None
    """q of the weak views; None while training is plain."""


class Daso(StepRule):
    """The rule: prototypes, and how often each gloss was a pseudo-label.

    The release takes q of the weak view from the model in training and prototypes from its average;
    here both are the teacher's.
    """

    needs_representations = True
    frequency: Tensor
    counts: Tensor
    num_counted: Tensor

    def __init__(self, config: DasoConfig, num_glosses: int, width: int) -> None:
        super().__init__()
        self.config = config
        self.prototypes = Prototypes(num_glosses, config.memory_clips, width)
        # Of the last full period; zero before there was one.
        self.register_buffer("frequency", torch.zeros(num_glosses))
        self.register_buffer("counts", torch.zeros(num_glosses))
        self.register_buffer("num_counted", torch.zeros((), dtype=torch.int64))

    def targets(self, views: WeakViews) -> SemanticTargets:
        """Blend, compare with the threshold, count the pseudo-labels, chosen or not."""
        config, p, given = self.config, views.probabilities, views.represented
        if given is None:
            raise ValueError("DASO compares representations: give them")
        self.prototypes.add(given.labelled, given.labelled_glosses)
        semantic: Tensor | None = None
        largest = self.frequency.max()
        if views.progress >= config.plain_fraction and bool(largest > 0):
            semantic = self._semantic(given.weak).softmax(dim=1)
            by_gloss = self.frequency ** (1 / config.frequency_temperature)
            share = (by_gloss / by_gloss.max())[views.gloss, None].to(p.dtype)
            p = (1 - share) * p + share * semantic
        self._count(p)
        chosen = (p.max(dim=1).values >= config.confidence).to(p.dtype)
        return SemanticTargets(p, chosen, p.new_tensor(config.confidence), None, semantic)

    def extra_loss(
        self,
        logits: Float[Tensor, "clips glosses"],
        represented: Float[Tensor, "clips width"] | None,
        targets: Targets,
    ) -> Float[Tensor, ""]:
        """Semantic alignment of all clips: cross-entropy of q between weak and strong views."""
        semantic = targets.semantic if isinstance(targets, SemanticTargets) else None
        if semantic is None or represented is None or not self.config.semantic_weight:
            return logits.new_zeros(())
        found = self._semantic(represented).log_softmax(dim=1)
        # A gloss without a prototype has probability 0 in both.
        products = torch.where(semantic > 0, semantic * found, 0.0)
        return -self.config.semantic_weight * products.sum(dim=1).mean()

    def _semantic(
        self, represented: Float[Tensor, "clips width"]
    ) -> Float[Tensor, "clips glosses"]:
        """Logits by similarity to prototypes; glosses that have none are out of the question."""
        directions = functional.normalize(self.prototypes.means(), dim=1)
        near = functional.normalize(represented, dim=1) @ directions.T
        known = self.prototypes.num_added > 0
        return (near / self.config.semantic_temperature).masked_fill(~known, -torch.inf)

    def _count(self, p: Float[Tensor, "clips glosses"]) -> None:
        self.counts += torch.bincount(p.argmax(dim=1), minlength=p.shape[1])
        self.num_counted += 1
        if int(self.num_counted) % self.config.frequency_steps == 0:
            self.frequency.copy_(self.counts / self.counts.sum())
            self.counts.zero_()
