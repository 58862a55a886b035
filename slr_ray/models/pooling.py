"""Frames of padded clips as one vector a clip."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor


def mean_of_frames(
    frames: Float[Tensor, "clips frames width"], mask: Bool[Tensor, "clips frames"]
) -> Float[Tensor, "clips width"]:
    """The mean over a clip's real frames (`mask`); 0 where it has none."""
    weights = mask[..., None].to(frames.dtype)
    mean: Tensor = (frames * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
    return mean
