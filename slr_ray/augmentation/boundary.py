"""The boundary augmentation of SSL-SLR: frames permuted where a clip carries no sign."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from slr_ray.augmentation.draws import Source, uniform_by_frame
from slr_ray.poses.batch import PoseBatch


def permute_ends(
    batch: PoseBatch,
    head: Float[Tensor, " clips"],
    tail: Float[Tensor, " clips"],
    source: Source,
) -> PoseBatch:
    """Permute frames within each clip's head and within its tail (arXiv 2509.05188, section 5.2).

    `head` and `tail` are the fractions of the clip's frames that belong to each, rounded to whole
    frames; the frames between them stay where they are, and no frame changes sides. Where rounding
    makes the two overlap, the head has the frame. All joints of a frame move together. Coordinates
    of any kind; padding stays behind the clip.
    """
    device = batch.positions.device
    num_frames = batch.num_frames
    num_head = (head.to(device, non_blocking=True) * num_frames).round()
    num_tail = (tail.to(device, non_blocking=True) * num_frames).round()
    num_tail = num_tail.minimum(num_frames - num_head)
    longest = batch.positions.shape[1]
    drawn = uniform_by_frame(batch.num_clips, longest, (), source).to(device, non_blocking=True)
    steps = torch.arange(longest, device=device)[None, :]
    # Sorted by these keys, frames keep their part of the clip: 0 head, 1 middle, 2 tail, 3 padding.
    keys = 1 + steps / longest
    keys = torch.where(steps < num_head[:, None], drawn, keys)
    keys = torch.where(steps >= (num_frames - num_tail)[:, None], 2 + drawn, keys)
    keys = torch.where(steps >= num_frames[:, None], 3 + steps / longest, keys)
    order = keys.argsort(dim=1, stable=True)
    clips = torch.arange(batch.num_clips, device=device)[:, None]
    return PoseBatch(
        batch.positions[clips, order], batch.confidence[clips, order], batch.num_frames
    )
