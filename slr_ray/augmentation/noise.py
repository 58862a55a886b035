"""Gaussian noise on what the model reads, after normalisation."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.augmentation.draws import Source, normal_by_frame


def add_noise(
    features: Float[Tensor, "clips frames channels"],
    mask: Bool[Tensor, "clips frames"],
    std: float,
    source: Source,
) -> Float[Tensor, "clips frames channels"]:
    """Add normal noise to every channel of the frames in `mask`; the others stay.

    SPOTER release, `GaussianNoise`, std 0.001: missing joints get noise too, as published. With a
    CPU generator a frame's noise does not depend on how far the batch is padded.
    """
    if std == 0:
        return features
    clips, frames, channels = features.shape
    noise = normal_by_frame(clips, frames, (channels,), source)
    return features + noise.to(features, non_blocking=True) * (std * mask[..., None])
