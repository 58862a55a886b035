"""Blur in time: a pose smoothed over its neighbours."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch


def blur(batch: PoseBatch, sigma_frames: Float[Tensor, " clips"]) -> PoseBatch:
    """Gaussian blur of each joint's path with the given standard deviation in frames.

    A joint is averaged over the frames in which it was found; where it is missing it stays missing.
    At a clip's ends the kernel is cut off, so that a joint at rest stays where it is. Sigma 0
    changes nothing.
    """
    sigma = sigma_frames.to(batch.positions, non_blocking=True)[:, None, None]
    steps = torch.arange(batch.positions.shape[1], device=batch.positions.device)
    squared = (steps[:, None] - steps[None, :]).square().to(batch.positions)
    kernel = torch.exp(-squared / (2 * sigma.square().clamp(min=1e-6)))
    found = batch.joint_mask.to(batch.positions)
    summed = torch.bmm(kernel, (batch.positions * found[..., None]).flatten(2))
    weight = torch.bmm(kernel, found).clamp(min=1e-6)
    smooth = summed.view_as(batch.positions) / weight[..., None]
    return batch.with_positions(smooth * found[..., None])
