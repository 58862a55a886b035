"""Clips that lie on the device: a batch is one operation of picking, without a read and a copy."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.reading import ReadableClips


class ResidentClips:
    """The frames of some clips, one behind the other, as one tensor."""

    def __init__(
        self, clips: ReadableClips, rows: Int[np.ndarray, " clips"], device: torch.device
    ) -> None:
        frames = [clips.frames_of(int(row)) for row in rows]
        self.frames = torch.from_numpy(np.concatenate(frames)).to(device)
        # Missing joints and, behind the last clip, a frame that stands for padding.
        self.frames[..., :2] *= self.frames[..., 2:] > 0
        self.frames = torch.cat([self.frames, self.frames.new_zeros(1, *self.frames.shape[1:])])
        self.lengths = torch.tensor([len(one) for one in frames])
        self.starts = self.lengths.cumsum(0) - self.lengths

    def read(
        self,
        rows: Int[np.ndarray, " batch"],
        max_frames: int,
        draw: torch.Generator | None = None,
    ) -> PoseBatch:
        """As `poses.reading.read`; `rows` count within these clips."""
        chosen = torch.from_numpy(rows)
        lengths = self.lengths[chosen][:, None]
        kept = lengths.clamp(max=max_frames)
        steps = torch.arange(int(kept.max()))
        places = self._places(lengths, steps, max_frames, draw)
        places = torch.where(lengths > max_frames, places, steps)
        index = torch.where(steps < kept, self.starts[chosen][:, None] + places, -1)
        found: Float[torch.Tensor, "batch frames 54 3"] = self.frames[index.to(self.frames.device)]
        return PoseBatch(found[..., :2], found[..., 2], kept[:, 0].to(found.device))

    @staticmethod
    def _places(
        lengths: Int[torch.Tensor, "batch 1"],
        steps: Int[torch.Tensor, " frames"],
        max_frames: int,
        draw: torch.Generator | None,
    ) -> Int[torch.Tensor, "batch frames"]:
        """Which frames a clip that is too long keeps."""
        if draw is None:
            return (steps * ((lengths - 1) / (max_frames - 1))).round().long()
        drawn = torch.rand((len(lengths), max_frames), generator=draw)[:, : len(steps)]
        parts = (steps + drawn.double()) * (lengths / max_frames)
        return torch.minimum(parts.long(), lengths - 1)
