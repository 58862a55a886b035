"""Arm joints turned a little: another person's way of holding shoulder and elbow."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch, index_on
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, RIGHT_HAND

_CHAINS = tuple(
    tuple(INDEX[joint] for joint in ("neck", f"{side}Shoulder", f"{side}Elbow", f"{side}Wrist"))
    for side in ("left", "right")
)
_HANDS = (LEFT_HAND, RIGHT_HAND)
NUM_PIVOTS = 3
"""Joints of an arm that others turn about: neck, shoulder, elbow."""


def rotate_arms(
    batch: PoseBatch, degrees: Float[Tensor, "clips 2 3"], *, hands_follow: bool
) -> PoseBatch:
    """Turn the arm beyond each pivot (neck, shoulder, elbow; left arm, right arm) about it.

    SPOTER release, `augment_arm_joint_rotate`: pivots in turn from the neck outward, each about
    where the turns before have put it, by one angle for the whole clip; 0 leaves a pivot out. The
    release moves body joints only; with `hands_follow` the hand moves with its wrist, as
    coordinates that say where a hand is need it. Frames in which the pivot is missing stay (the
    release turns them about (0, 0)).
    """
    angles = torch.deg2rad(degrees.to(batch.positions, non_blocking=True))
    angles = angles.permute(2, 1, 0)[..., None]
    cos, sin = torch.cos(angles), torch.sin(angles)
    joints = index_on(
        batch.positions.device,
        tuple(
            (*chain, *(range(hand.start, hand.stop) if hands_follow else ()))
            for chain, hand in zip(_CHAINS, _HANDS, strict=True)
        ),
    )
    # Joints x arms first: clips and frames then run along memory, and slices of joints are views.
    x, y = batch.positions[:, :, joints].permute(4, 3, 2, 0, 1).contiguous()
    found = (batch.confidence[:, :, joints] > 0).permute(3, 2, 0, 1).contiguous()
    for pivot in range(NUM_PIVOTS):
        c, s = cos[pivot], sin[pivot]
        beyond = slice(pivot + 1, None)
        possible = found[beyond] & found[pivot]
        dx, dy = x[beyond] - x[pivot], y[beyond] - y[pivot]
        x[beyond] = torch.where(possible, x[pivot] + c * dx - s * dy, x[beyond])
        y[beyond] = torch.where(possible, y[pivot] + s * dx + c * dy, y[beyond])
    positions = batch.positions.clone()
    # The neck is in both arms and no arm moves it.
    positions[:, :, joints] = torch.stack([x, y]).permute(3, 4, 2, 1, 0)
    return batch.with_positions(positions)
