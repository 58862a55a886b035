"""MoCo v2 (He et al. 2020; Chen et al. 2020b): a queue of keys from a slowly moving encoder."""

from __future__ import annotations

import copy
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.gathering import gathered
from slr_ray.models.heads import follow, perceptron
from slr_ray.objectives.objective import Objective, Outcome, View


class MocoConfig(Config):
    """Loss and head of the papers; temperature of SSL-SLR (MoCo v2: 0.2)."""

    title: ClassVar[str] = "MoCo v2"

    kind: Literal["moco"] = "moco"
    projector_hidden: int = Field(512, ge=1)
    embedding_width: int = Field(128, ge=1)
    temperature: float = Field(0.5, gt=0)
    queue_clips: int = Field(4096, ge=1)
    """Keys kept as negatives. The papers' 65,536 are a twentieth of ImageNet; more keys than clips
    would hold old keys of the very clips in the batch."""
    momentum: float = Field(0.999, ge=0, lt=1)
    """Of the key encoder, a step."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch: negatives are the queue's."""
        return False

    def build(self, encoder: nn.Module, width: int) -> Moco:
        """The objective around an encoder whose representations have `width` numbers.

        Fresh heads are drawn from torch's global generator.
        """
        return Moco(self, encoder, width)


class Moco(Objective):
    """InfoNCE of a query (first view) with its key (second view) against the queue.

    No shuffling of batch norm (He et al., section 3.3): there is none in encoder and head. With
    gradient accumulation nothing differs: negatives come from the queue, which takes the keys of
    all micro-batches after the step.
    """

    queue: Tensor
    next_row: Tensor

    def __init__(self, config: MocoConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        self.config = config
        dim = config.embedding_width
        self.projector = perceptron((width, config.projector_hidden, dim))
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_projector = copy.deepcopy(self.projector).requires_grad_(False)
        queue = functional.normalize(torch.randn(config.queue_clips, dim), dim=-1)
        self.register_buffer("queue", queue)
        self.register_buffer("next_row", torch.zeros((), dtype=torch.long))
        self._pending: list[Tensor] = []

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        (represented,) = self.represented(view1)
        embedded = self.projector(represented).float()
        query = functional.normalize(embedded, dim=-1)
        with torch.no_grad():
            key = self.key_projector(self.key_encoder(*view2)).float()
            key = functional.normalize(key, dim=-1)
        self._pending.append(key)
        # A copy: the queue changes in place before a backward pass may have read it.
        loss = info_nce(query, key, self.queue.clone(), self.config.temperature)
        return loss, embedded

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Move the key encoder and put the step's keys, of all workers, into the queue."""
        follow(self.key_encoder, self.encoder, self.config.momentum)
        follow(self.key_projector, self.projector, self.config.momentum)
        keys = gathered(torch.cat(self._pending))[-len(self.queue) :]
        self._pending.clear()
        rows = (self.next_row + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[rows] = keys
        self.next_row.copy_((self.next_row + len(keys)) % len(self.queue))


def info_nce(
    query: Float[Tensor, "clips dim"],
    key: Float[Tensor, "clips dim"],
    negatives: Float[Tensor, "negatives dim"],
    temperature: float,
) -> Float[Tensor, ""]:
    """Equation 1 of He et al.; all rows have length 1."""
    positive = (query * key).sum(dim=-1, keepdim=True)
    scores = torch.cat([positive, query @ negatives.T], dim=1) / temperature
    return functional.cross_entropy(scores, scores.new_zeros(len(scores), dtype=torch.long))
