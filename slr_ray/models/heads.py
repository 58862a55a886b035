"""Heads of self-supervised objectives: multi-layer perceptrons on top of a representation."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from slr_ray.models.gathering import GlobalBatchNorm


def perceptron(
    widths: tuple[int, ...], *, batch_norm: bool = False, last_norm: bool = False
) -> nn.Sequential:
    """Linear layers of the given widths with ReLU between them.

    With `batch_norm` each layer but the last is followed by batch norm before ReLU and has no
    bias; `last_norm` puts a batch norm without weights behind the last one, too (SimSiam's
    projector, Chen and He 2021, section 3).
    """
    layers: list[nn.Module] = []
    pairs = list(pairwise(widths))
    for inner, outer in pairs[:-1]:
        layers.append(nn.Linear(inner, outer, bias=not batch_norm))
        if batch_norm:
            layers.append(GlobalBatchNorm(outer))
        layers.append(nn.ReLU())
    inner, outer = pairs[-1]
    layers.append(nn.Linear(inner, outer, bias=not last_norm))
    if last_norm:
        layers.append(GlobalBatchNorm(outer, affine=False))
    return nn.Sequential(*layers)


@torch.no_grad()
def redraw(head: nn.Module, generator: torch.Generator) -> None:
    """Give a perceptron's linear layers fresh weights, as torch draws them; a CPU's generator."""
    for layer in head.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                drawn = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
                parameter.copy_(drawn)


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, momentum: float) -> None:
    """target ← momentum · target + (1 - momentum) · source, weights only.

    Buffers are copied: there are none but batch norm's counters and averages, which training
    never reads.
    """
    slow: list[Tensor] = list(target.parameters())
    fast: list[Tensor] = list(source.parameters())
    torch._foreach_lerp_(slow, fast, 1 - momentum)
    for copied, current in zip(target.buffers(), source.buffers(), strict=True):
        copied.copy_(current)
