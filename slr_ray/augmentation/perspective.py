"""Perspective: the camera stands a little to one side."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch

# Far outside the image the projection turns over; no joint is moved further than this allows.
_SMALLEST_DENOMINATOR = 0.1


def perspective(
    batch: PoseBatch,
    ratio: Float[Tensor, " clips"],
    from_left: Bool[Tensor, " clips"],
    joints: slice,
) -> PoseBatch:
    """Push one vertical edge of the image away by `ratio`; only `joints` move.

    SPOTER release, `augment_shear(type="perspective")`: the projection that takes the left corners
    (0, 0) and (0, 1) to (m, m) and (m, 1 - m) and leaves the right ones, or its mirror image. The
    release solves the eight equations with OpenCV; their solution is

        x' = ((1 - 3m) x + m) / (1 - 2m x)        y' = ((1 - 2m) y - m x + m) / (1 - 2m x).
    """
    m = ratio.to(batch.positions, non_blocking=True)[:, None, None]
    flip = ~from_left.to(batch.positions.device, non_blocking=True)[:, None, None]
    x, y = batch.positions[:, :, joints].unbind(-1)
    x = torch.where(flip, 1 - x, x)
    denominator = (1 - 2 * m * x).clamp(min=_SMALLEST_DENOMINATOR)
    new_x = ((1 - 3 * m) * x + m) / denominator
    new_y = ((1 - 2 * m) * y - m * x + m) / denominator
    new_x = torch.where(flip, 1 - new_x, new_x)
    positions = batch.positions.clone()
    found = batch.joint_mask[:, :, joints, None]
    positions[:, :, joints] = torch.stack([new_x, new_y], dim=-1) * found
    return batch.with_positions(positions)
