"""Gaussian noise on what the model reads, after normalisation."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.augmentation.draws import frame_generator

# Normal numbers are drawn in blocks of 16, and an incomplete last block changes the one before it.
_BLOCK = 16


def add_noise(
    features: Float[Tensor, "clips frames channels"],
    mask: Bool[Tensor, "clips frames"],
    std: float,
    generator: torch.Generator,
) -> Float[Tensor, "clips frames channels"]:
    """Add normal noise to every channel of the frames in `mask`; the others stay.

    SPOTER release, `GaussianNoise`, std 0.001: missing joints get noise too, as published. With a
    CPU generator a frame's noise does not depend on how far the batch is padded.
    """
    if std == 0:
        return features
    clips, frames, channels = features.shape
    own = frame_generator(generator)
    size = -(-frames * clips * channels // _BLOCK) * _BLOCK
    drawn = torch.randn(size, generator=own, device=own.device)[: frames * clips * channels]
    noise = drawn.view(frames, clips, channels).transpose(0, 1)
    return features + noise.to(features, non_blocking=True) * (std * mask[..., None])
