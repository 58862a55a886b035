"""The optimiser and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from slr_ray.training.config import AdamW, Sgd


def new_optimiser(
    parameters: Iterable[nn.Parameter], settings: Sgd | AdamW
) -> torch.optim.Optimizer:
    """Fused, for every parameter that learns; AdamW decays matrices only."""
    learning = [one for one in parameters if one.requires_grad]
    if isinstance(settings, Sgd):
        return torch.optim.SGD(
            learning,
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            fused=True,
        )
    matrices = [one for one in learning if one.ndim >= 2]
    vectors = [one for one in learning if one.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        fused=True,
    )


def learning_rate(
    settings: Sgd | AdamW,
    schedule: Literal["constant", "warmup_cosine"],
    warmup_fraction: float,
    done: int,
    total: int,
) -> float:
    """The rate of the step after `done` of `total`."""
    base = settings.learning_rate
    if schedule == "constant":
        return base
    warmup = warmup_fraction * total
    number = done + 1
    if number <= warmup:
        return base * number / warmup
    return base * 0.5 * (1 + math.cos(math.pi * (number - warmup) / (total - warmup)))


class AveragedWeights(AveragedModel):
    """A model whose weights follow another's slowly (Tarvainen and Valpola 2017); buffers at once.

    torch's own asks for all tensors anew in every step and copies buffers one by one, which takes
    a processor longer than a GPU takes for a small model's whole step. Here they are listed once
    and moved together.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model)
        self.decay = decay
        self._slow_and_fast = _tensors(self.module.parameters()), _tensors(model.parameters())
        self._kept_equal = [
            (_tensors(self.module.buffers(), dtype), _tensors(model.buffers(), dtype))
            for dtype in {one.dtype for one in model.buffers()}
        ]

    @torch.no_grad()
    def update(self) -> None:
        """Follow the model by one step."""
        torch._foreach_lerp_(*self._slow_and_fast, averaging_step(self.decay, int(self.n_averaged)))
        for averaged, current in self._kept_equal:
            torch._foreach_copy_(averaged, current)
        self.n_averaged += 1


def _tensors(them: Iterable[Tensor], dtype: torch.dtype | None = None) -> list[Tensor]:
    return [one.detach() for one in them if dtype in (None, one.dtype)]


def averaging_step(decay: float, num_averaged: int) -> float:
    """How far averaged weights move towards the current ones, `num_averaged` steps after the start.

    1 - `decay`, but the horizon is kept below a third of the steps so far: with the plain decay the
    random initial weights would dominate short rounds.
    """
    horizon = (1 + num_averaged) / 3
    return 1 - min(decay, 1 - 1 / max(horizon, 1.0))
