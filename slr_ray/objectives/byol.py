"""BYOL (Grill et al. 2020): predict what a slowly moving copy of the network sees."""

from __future__ import annotations

import copy
import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.heads import follow, perceptron
from slr_ray.objectives.objective import Objective, Outcome, View


class ByolConfig(Config):
    """Heads and loss of the paper (section 3); SSL-SLR's sizes (BYOL: 4096 → 256)."""

    title: ClassVar[str] = "BYOL"

    kind: Literal["byol"] = "byol"
    projector_hidden: int = Field(512, ge=1)
    embedding_width: int = Field(128, ge=1)
    predictor_hidden: int = Field(512, ge=1)
    momentum: float = Field(0.996, ge=0, lt=1)
    """Of the target network at the start; rises to 1 along a cosine (section 3.2)."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch: by batch norm."""
        return True

    def build(self, encoder: nn.Module, width: int) -> Byol:
        """The objective around an encoder whose representations have `width` numbers.

        Fresh heads are drawn from torch's global generator.
        """
        return Byol(self, encoder, width)


class Byol(Objective):
    """Squared distance of normalised predictions and target embeddings, both ways (equation 2).

    Batch norm in the heads is over one view of the global batch, as in the paper; with gradient
    accumulation over one view of a micro-batch.
    """

    def __init__(self, config: ByolConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        self.momentum = config.momentum
        dim = config.embedding_width
        self.projector = perceptron((width, config.projector_hidden, dim), batch_norm=True)
        self.predictor = perceptron((dim, config.predictor_hidden, dim), batch_norm=True)
        self.target_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.target_projector = copy.deepcopy(self.projector).requires_grad_(False)

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        z1, z2 = (self.projector(one) for one in self.represented(view1, view2))
        p1, p2 = (self.predictor(one).float() for one in (z1, z2))
        with torch.no_grad():
            features = torch.cat([view1[0], view2[0]])
            seen = self.target_encoder(features, torch.cat([view1[1], view2[1]])).chunk(2)
            t1, t2 = (self.target_projector(one).float() for one in seen)
        return distance(p1, t2) + distance(p2, t1), z1.float()

    def after_step(self, progress: float) -> None:
        """Move the target network."""
        momentum = 1 - (1 - self.momentum) * (math.cos(math.pi * progress) + 1) / 2
        follow(self.target_encoder, self.encoder, momentum)
        follow(self.target_projector, self.projector, momentum)


def distance(
    prediction: Float[Tensor, "clips dim"], target: Float[Tensor, "clips dim"]
) -> Float[Tensor, ""]:
    """Squared distance between rows brought to length 1, mean over the clips."""
    return (2 - 2 * functional.cosine_similarity(prediction, target, dim=-1)).mean()
