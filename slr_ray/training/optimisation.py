"""The optimiser and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

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


def averaging_step(decay: float, num_averaged: int) -> float:
    """How far averaged weights move towards the current ones, `num_averaged` steps after the start.

    1 - `decay`, but the horizon is kept below a third of the steps so far: with the plain decay the
    random initial weights would dominate short rounds.
    """
    horizon = (1 + num_averaged) / 3
    return 1 - min(decay, 1 - 1 / max(horizon, 1.0))
