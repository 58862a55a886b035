"""Left and right exchanged: the mirrored clip, and clips brought to one signing hand."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from slr_ray.poses.batch import PoseBatch, index_on
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, MIRROR, RIGHT_HAND


def mirrored(batch: PoseBatch, clips: Bool[Tensor, " clips"]) -> PoseBatch:
    """Flip the chosen clips left to right; positions must be image fractions.

    x becomes 1 - x and left and right joints change places, so that a flipped left-hander is a
    right-hander with proper joint names. Missing joints stay missing, on the other side.
    """
    order = index_on(batch.positions.device, MIRROR)
    clips = clips.to(batch.positions.device, non_blocking=True)
    confidence = batch.confidence[:, :, order]
    x, y = batch.positions[:, :, order].unbind(-1)
    positions = torch.stack([torch.where(confidence > 0, 1 - x, 0), y], dim=-1)
    return PoseBatch(
        torch.where(clips[:, None, None, None], positions, batch.positions),
        torch.where(clips[:, None, None], confidence, batch.confidence),
        batch.num_frames,
    )


def left_handed(batch: PoseBatch) -> Bool[Tensor, " clips"]:
    """True for clips whose left hand is the more active one.

    More active is the hand found in more frames, for a resting hand tends to leave the picture; on
    a tie the hand whose wrist travels further; on a second tie the right one. (On the wild clips
    the count of frames agrees with itself within a signer's block more often than path lengths or
    wrist heights do.)
    """
    left_frames, left_path = _activity(batch, LEFT_HAND, INDEX["wrist_0"])
    right_frames, right_path = _activity(batch, RIGHT_HAND, INDEX["wrist_1"])
    tie = left_frames == right_frames
    return (left_frames > right_frames) | (tie & (left_path > right_path))


def canonical_hand(batch: PoseBatch) -> PoseBatch:
    """Flip the clips that are signed with the left hand, see `left_handed`."""
    return mirrored(batch, left_handed(batch))


def _activity(
    batch: PoseBatch, hand: slice, wrist: int
) -> tuple[Float[Tensor, " clips"], Float[Tensor, " clips"]]:
    num_found = batch.joint_mask[:, :, hand].any(dim=2).sum(dim=1).float()
    found = batch.joint_mask[:, :, wrist]
    steps = torch.linalg.vector_norm(batch.positions[:, :, wrist].diff(dim=1), dim=-1)
    path = (steps * (found[:, 1:] & found[:, :-1])).sum(dim=1)
    return num_found, path
