"""Time: clips cut at their ends and played at another speed."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from slr_ray.poses.batch import PoseBatch


def cut_and_resample(
    batch: PoseBatch,
    head: Float[Tensor, " clips"],
    tail: Float[Tensor, " clips"],
    speed: Float[Tensor, " clips"],
) -> PoseBatch:
    """Cut the given fractions of frames (below 0.5 each) off both ends, then change the speed.

    At speed 2 a clip has half its frames. No clip becomes longer than the longest of the batch: one
    that would is slowed less. Frames between two frames are interpolated where a joint was found in
    both, else the nearer frame counts. The batch keeps its padded length.
    """
    device = batch.positions.device
    head, tail, speed = (one.to(device, non_blocking=True) for one in (head, tail, speed))
    first = (head * batch.num_frames).long()
    last = batch.num_frames - 1 - (tail * batch.num_frames).long()
    wanted = ((last - first + 1) / speed).round().long()
    num_frames = wanted.clamp(min=1).minimum(batch.num_frames.max())
    num_frames = num_frames.to(batch.num_frames.dtype)
    return _sample(batch, first, last, num_frames, batch.positions.shape[1])


def resampled(batch: PoseBatch, num_frames: Int[Tensor, " clips"]) -> PoseBatch:
    """Whole clips with so many frames each, evenly spaced, ends included; at least one.

    Interpolated as by `cut_and_resample`. The batch is padded to the longest of them.
    """
    num_frames = num_frames.to(batch.num_frames)
    first, last = torch.zeros_like(num_frames), batch.num_frames - 1
    return _sample(batch, first, last, num_frames, int(num_frames.max()))


def _sample(
    batch: PoseBatch,
    first: Int[Tensor, " clips"],
    last: Int[Tensor, " clips"],
    num_frames: Int[Tensor, " clips"],
    padded_frames: int,
) -> PoseBatch:
    steps = torch.arange(padded_frames, device=batch.positions.device)
    stride = (last - first) / (num_frames - 1).clamp(min=1)
    time = (first[:, None] + steps * stride[:, None]).minimum(last[:, None].float())
    before = time.floor().long()
    after = (before + 1).minimum(last[:, None])
    nearest = torch.where(time - before < 0.5, before, after)
    clips = torch.arange(batch.num_clips, device=batch.positions.device)[:, None]
    real = (steps < num_frames[:, None])[..., None]
    confidence = batch.confidence[clips, nearest] * real
    both = (batch.confidence[clips, before] > 0) & (batch.confidence[clips, after] > 0)
    weight = (time - before)[..., None, None]
    between = torch.lerp(batch.positions[clips, before], batch.positions[clips, after], weight)
    positions = torch.where(both[..., None], between, batch.positions[clips, nearest])
    return PoseBatch(positions * (confidence > 0)[..., None], confidence, num_frames)
