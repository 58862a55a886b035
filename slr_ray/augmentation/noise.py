"""Gaussian noise on what the model reads, after normalisation."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.augmentation.draws import Source, uniform_by_frame

_TABLE_SIZE = 2**20
_TABLE_SEED = 0


def add_noise(
    features: Float[Tensor, "clips frames channels"],
    mask: Bool[Tensor, "clips frames"],
    std: float,
    source: Source,
) -> Float[Tensor, "clips frames channels"]:
    """Add normal noise to every channel of the frames in `mask`; the others stay.

    SPOTER release, `GaussianNoise`, std 0.001: missing joints get noise too, as published. A frame
    reads its noise from a random place of one table of normal numbers (Salimans et al. 2017,
    Evolution strategies, section 2.1): to draw a million numbers a batch would take longer than
    all else that views need, and a GPU would wait for the processor to do it. With a CPU generator
    a frame's noise does not depend on how far the batch is padded, nor on the device.
    """
    if std == 0:
        return features
    clips, frames, channels = features.shape
    rows = _table(features.device, _TABLE_SIZE + channels - 1).unfold(0, channels, 1)
    place = uniform_by_frame(clips, frames, (), source).to(features.device, non_blocking=True)
    noise = rows[(place * _TABLE_SIZE).long()]
    return features + noise.to(features.dtype) * (std * mask[..., None])


@functools.cache
def _table(device: torch.device, size: int) -> Float[Tensor, " numbers"]:
    # Drawn by the processor, so that it is the same wherever it lies; whoever asks first.
    with torch.inference_mode(False):
        return torch.randn(size, generator=torch.Generator().manual_seed(_TABLE_SEED)).to(device)
