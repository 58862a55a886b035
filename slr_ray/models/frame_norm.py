"""Batch norm over the real frames of padded clips."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

_MOMENTUM = 0.1
_EPSILON = 1e-5


class FrameNorm(nn.Module):
    """Batch norm (Ioffe and Szegedy 2015) of each channel over a batch's real frames.

    `nn.BatchNorm1d` would count padding as frames, so that a clip's result would depend on how
    long the others of its batch are. With several workers each norms its own clips, as
    `nn.BatchNorm1d` does.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(num_channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(num_channels))
        self.register_buffer("running_var", torch.ones(num_channels))

    def forward(
        self, frames: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Float[Tensor, "clips frames channels"]:
        """The batch's own statistics in training, the running ones afterwards."""
        # Gathering and scattering take longer than the norm: not where there is no padding.
        padded = self.training and not bool(mask.all())
        real = frames[mask] if padded else frames.flatten(0, 1)
        normed: Tensor = functional.batch_norm(
            real.float(),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            # One frame has no variance: the running statistics stand in.
            training=self.training and len(real) > 1,
            momentum=_MOMENTUM,
            eps=_EPSILON,
        ).to(frames.dtype)
        if not padded:
            return normed.view_as(frames)
        return torch.zeros_like(frames).index_put((mask,), normed)
