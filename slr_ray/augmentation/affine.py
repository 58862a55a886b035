"""Rotation, scale, shear, translation and squeeze: maps that keep straight lines parallel."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.skeleton import BODY

_IMAGE_CENTRE = 0.5


def rotation_matrix(degrees: Float[Tensor, "..."]) -> Float[Tensor, "... 2 2"]:
    """M of p' = M p, turning x towards y."""
    angle = torch.deg2rad(degrees)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def about_centre(
    batch: PoseBatch, matrix: Float[Tensor, "clips 2 2"], shift: Float[Tensor, "clips 2"]
) -> PoseBatch:
    """c + M (p - c) + shift on all joints, c the image's centre."""
    matrix, shift = (one.to(batch.positions, non_blocking=True) for one in (matrix, shift))
    offset = _IMAGE_CENTRE - matrix.sum(dim=-1) * _IMAGE_CENTRE + shift
    # By coordinate: products with 2 x 2 matrices one clip after another take twice as long.
    x, y = batch.positions.unbind(-1)
    matrix, offset = matrix[..., None, None], offset[..., None, None]
    moved = torch.empty_like(batch.positions)
    for row, new in enumerate(moved.unbind(-1)):
        partial = torch.addcmul(offset[:, row], x, matrix[:, row, 0])
        torch.addcmul(partial, y, matrix[:, row, 1], out=new)
    return batch.with_positions(moved.mul_(batch.joint_mask[..., None]))


def rotate(batch: PoseBatch, degrees: Float[Tensor, " clips"]) -> PoseBatch:
    """Turn each clip about (0.5, 0.5), in image fractions.

    SPOTER release, `augment_rotate`; there missing joints, stored at (0, 0), turn too and count as
    found afterwards, here they stay missing.
    """
    return about_centre(batch, rotation_matrix(degrees), degrees.new_zeros(len(degrees), 2))


def squeeze(
    batch: PoseBatch, left: Float[Tensor, " clips"], right: Float[Tensor, " clips"]
) -> PoseBatch:
    """Press the body's joints into left..1 - right of the image's width; hands stay.

    SPOTER release, `augment_shear(type="squeeze")`. Its hands stay because their own boxes undo a
    squeeze up to its aspect.
    """
    left, right = (one.to(batch.positions, non_blocking=True) for one in (left, right))
    positions = batch.positions.clone()
    x = positions[:, :, BODY, 0] * (1 - left - right)[:, None, None] + left[:, None, None]
    positions[:, :, BODY, 0] = x * batch.joint_mask[:, :, BODY]
    return batch.with_positions(positions)


def shape_matrix(
    scale: Float[Tensor, " clips"],
    stretch: Float[Tensor, " clips"],
    shear: Float[Tensor, " clips"],
    degrees: Float[Tensor, " clips"],
) -> Float[Tensor, "clips 2 2"]:
    """Scale both axes, stretch x (shrinking y as much), shear x along y, then rotate."""
    stretched = torch.stack(
        [
            torch.stack([scale * stretch, shear * scale / stretch], -1),
            torch.stack([torch.zeros_like(scale), scale / stretch], -1),
        ],
        -2,
    )
    return rotation_matrix(degrees) @ stretched
