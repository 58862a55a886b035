"""What a rule of step-by-step semi-supervision sees of a step, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Represented:
    """Representations that rules with prototypes compare, all of one encoder: the teacher's."""

    weak: Float[Tensor, "clips width"]
    """Of the unlabelled clips' weak views."""
    labelled: Float[Tensor, "labelled width"]
    labelled_glosses: Int[Tensor, " labelled"]


@dataclass(frozen=True)
class WeakViews:
    """What the teacher says of the unlabelled clips of one step; no gradient flows into it."""

    probabilities: Float[Tensor, "clips glosses"]
    """Of weak views, label smoothing undone, aligned where the method says so."""
    clips: Int[Tensor, " clips"]
    """Each clip's place in the unlabelled pool."""
    progress: float
    """Share of the training's steps done before this one, 0 to 1."""
    represented: Represented | None = None
    """Where the rule `needs_representations`."""

    @property
    def confidence(self) -> Float[Tensor, " clips"]:
        """The highest probability of each clip."""
        return self.probabilities.max(dim=1).values

    @property
    def gloss(self) -> Int[Tensor, " clips"]:
        """The gloss of the highest probability."""
        return self.probabilities.argmax(dim=1)


@dataclass(frozen=True)
class Targets:
    """What the strong views of a step are trained to."""

    probabilities: Float[Tensor, "clips glosses"]
    """Pseudo-labels, still soft; the method makes them hard."""
    weights: Float[Tensor, " clips"]
    """Of each clip in the loss; 0 leaves it out."""
    threshold: Float[Tensor, ""] | None = None
    """The mean threshold of the step, for people to read; None where the rule has none."""
    logit_offset: Float[Tensor, " glosses"] | None = None
    """Added to the strong views' logits before the loss."""


class StepRule(nn.Module, ABC):
    """A rule with what it remembers between steps, kept in buffers so that checkpoints hold it."""

    needs_representations: bool = False
    """Whether `WeakViews.represented` and the `represented` of `extra_loss` are given."""

    @abstractmethod
    def targets(self, views: WeakViews) -> Targets:
        """The targets of one step; called once a step, in order, without gradient."""

    def extra_loss(
        self,
        logits: Float[Tensor, "clips glosses"],
        represented: Float[Tensor, "clips width"] | None,
        targets: Targets,
    ) -> Float[Tensor, ""]:
        """What the rule adds to the loss of the strong views, given their logits; most add 0."""
        return logits.new_zeros(())


def hardened(probabilities: Float[Tensor, "clips glosses"]) -> Float[Tensor, "clips glosses"]:
    """1 for the most likely gloss, the first of equals, and 0 for the others."""
    chosen = torch.zeros_like(probabilities)
    return chosen.scatter_(1, probabilities.argmax(dim=1, keepdim=True), 1.0)
