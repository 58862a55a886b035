"""Hands turned, stretched and bent about their wrists: another person's way of forming a shape."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.augmentation.affine import rotation_matrix
from slr_ray.poses.batch import PoseBatch, index_on
from slr_ray.poses.skeleton import HAND_JOINTS, HANDS

_WRIST = HAND_JOINTS.index("wrist")
_CHAINS = (
    *(
        tuple(HAND_JOINTS.index(f"{finger}{part}") for part in ("MCP", "PIP", "DIP", "Tip"))
        for finger in ("index", "middle", "ring", "little")
    ),
    tuple(HAND_JOINTS.index(f"thumb{part}") for part in ("CMC", "MP", "IP", "Tip")),
)
NUM_FINGERS = len(_CHAINS)
"""Four fingers and the thumb."""
_KNUCKLES = tuple(chain[0] for chain in _CHAINS)
_BEYOND = tuple(chain[1:] for chain in _CHAINS)


def reshape_hands(
    batch: PoseBatch,
    degrees: Float[Tensor, "clips 2"],
    stretch: Float[Tensor, "clips 2"],
    bend_degrees: Float[Tensor, "clips 2 fingers"],
) -> PoseBatch:
    """Turn each hand (left, right) about its wrist, stretch it, and bend its fingers.

    Fingers first turn by `bend_degrees` about their knuckles; the hand then grows by `stretch`
    along x and shrinks by it along y, and turns by `degrees`, one value for the whole clip. Frames
    in which the wrist is missing stay; a finger without its knuckle is not bent.
    """
    clips, frames = batch.confidence.shape[:2]
    # Joints first: clips and frames then run along memory.
    joints = batch.positions[:, :, HANDS].permute(2, 3, 0, 1).contiguous()
    confidence = batch.confidence[:, :, HANDS].permute(2, 0, 1)
    x, y = joints.view(2, len(HAND_JOINTS), 2, clips, frames).unbind(2)
    found = (confidence > 0).to(joints.dtype).view(2, len(HAND_JOINTS), clips, frames)
    bend = torch.deg2rad(bend_degrees.to(joints, non_blocking=True))
    bend = bend.permute(1, 2, 0)[..., None, :, None]
    knuckles, beyond = (index_on(joints.device, one) for one in (_KNUCKLES, _BEYOND))
    knuckle_x, knuckle_y = (one[:, knuckles, None] for one in (x, y))
    can_bend = found[:, beyond] * found[:, knuckles, None]
    dx, dy = ((one[:, beyond] - at) * can_bend for one, at in ((x, knuckle_x), (y, knuckle_y)))
    cos, sin = bend.cos() - 1, bend.sin()
    x[:, beyond] += cos * dx - sin * dy
    y[:, beyond] += sin * dx + cos * dy
    matrix = rotation_matrix(degrees) @ torch.diag_embed(torch.stack([stretch, 1 / stretch], -1))
    matrix = matrix.to(joints, non_blocking=True).permute(1, 2, 3, 0)[:, :, :, None, :, None]
    possible = found * found[:, _WRIST, None]
    dx, dy = ((one - one[:, _WRIST, None]) * possible for one in (x, y))
    x += (matrix[:, 0, 0] - 1) * dx + matrix[:, 0, 1] * dy
    y += matrix[:, 1, 0] * dx + (matrix[:, 1, 1] - 1) * dy
    positions = batch.positions.clone()
    positions[:, :, HANDS] = joints.permute(2, 3, 0, 1)
    return batch.with_positions(positions)
