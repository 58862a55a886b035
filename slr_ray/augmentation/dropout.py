"""What detectors lose: frames, a hand for a while, single joints."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.augmentation.draws import Source, uniform_by_frame
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.skeleton import LEFT_HAND, NUM_JOINTS, RIGHT_HAND


def drop_frames(batch: PoseBatch, rate: Float[Tensor, " clips"], source: Source) -> PoseBatch:
    """Lose all joints of each frame with probability `rate`; one frame of a clip always stays.

    The frames stay where they are, without joints: time goes on while a detector fails.
    """
    by_frame = _by_frame(batch, (), source)
    # Padding must not be the frame that stays.
    stays = by_frame.masked_fill(~batch.frame_mask, -1.0).argmax(dim=1, keepdim=True)
    lost = (by_frame < rate.to(by_frame, non_blocking=True)[:, None]).scatter(1, stays, False)
    return _without(batch, lost[..., None].expand_as(batch.confidence))


def drop_hand(
    batch: PoseBatch,
    left: Bool[Tensor, " clips"],
    start: Float[Tensor, " clips"],
    length: Float[Tensor, " clips"],
) -> PoseBatch:
    """Lose one hand, left or right, from the fraction `start` of a clip for the fraction `length`.

    The fractions are those of the clip's frames, rounded; length 0 loses nothing.
    """
    device, num_frames = batch.positions.device, batch.num_frames
    left, start, length = (one.to(device, non_blocking=True) for one in (left, start, length))
    begin = (start * num_frames).round()
    end = begin + (length * num_frames).round()
    steps = torch.arange(batch.positions.shape[1], device=device)
    during = (steps >= begin[:, None]) & (steps < end[:, None])
    lost = torch.zeros_like(batch.joint_mask)
    lost[:, :, LEFT_HAND] = (during & left[:, None])[..., None]
    lost[:, :, RIGHT_HAND] = (during & ~left[:, None])[..., None]
    return _without(batch, lost)


def drop_joints(batch: PoseBatch, rate: Float[Tensor, " clips"], source: Source) -> PoseBatch:
    """Lose each joint of each frame with probability `rate`."""
    draws = _by_frame(batch, (NUM_JOINTS,), source)
    return _without(batch, draws < rate.to(draws, non_blocking=True)[:, None, None])


def _by_frame(
    batch: PoseBatch, more: tuple[int, ...], source: Source
) -> Float[Tensor, "clips frames ..."]:
    drawn = uniform_by_frame(batch.num_clips, batch.positions.shape[1], more, source)
    return drawn.to(batch.positions.device, non_blocking=True)


def _without(batch: PoseBatch, lost: Bool[Tensor, "clips frames 54"]) -> PoseBatch:
    return PoseBatch(
        batch.positions.masked_fill(lost[..., None], 0.0),
        batch.confidence.masked_fill(lost, 0.0),
        batch.num_frames,
    )
