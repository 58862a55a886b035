"""A padded batch of clips as tensors, on any device."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class PoseBatch:
    """Clips padded at their ends to the longest of them.

    `positions` in whatever coordinates the stage uses (image fractions before normalisation);
    `confidence` is 0 where a joint is missing and in padding; positions there are 0.
    """

    positions: Float[Tensor, "clips frames 54 2"]
    confidence: Float[Tensor, "clips frames 54"]
    num_frames: Int[Tensor, " clips"]
    ends: Float[Tensor, "clips 2"] | None = None
    """Share of each clip's frames before its sign and after it, where a reader was to find them;
    an augmented clip has none any more."""

    @property
    def num_clips(self) -> int:
        return int(self.positions.shape[0])

    @property
    def frame_mask(self) -> Bool[Tensor, "clips frames"]:
        """True on real frames, False in the padding."""
        steps = torch.arange(self.positions.shape[1], device=self.positions.device)
        return steps[None, :] < self.num_frames[:, None]

    @property
    def joint_mask(self) -> Bool[Tensor, "clips frames 54"]:
        """True where a joint was found."""
        return self.confidence > 0

    def to(self, device: torch.device) -> PoseBatch:
        return PoseBatch(
            self.positions.to(device, non_blocking=True),
            self.confidence.to(device, non_blocking=True),
            self.num_frames.to(device, non_blocking=True),
            None if self.ends is None else self.ends.to(device, non_blocking=True),
        )

    def with_positions(self, positions: Float[Tensor, "clips frames 54 2"]) -> PoseBatch:
        return PoseBatch(positions, self.confidence, self.num_frames)


def pad(
    positions: Sequence[np.ndarray], confidence: Sequence[np.ndarray], max_frames: int | None
) -> PoseBatch:
    """Pad pose sequences (frames x 54 x 2 and frames x 54 each) into one batch.

    A sequence longer than `max_frames` is thinned to that many frames, evenly spaced with first and
    last kept: SPOTER has no limit (None), a padded batch is better with one, and thinning keeps the
    whole sign where cutting would lose its end.
    """
    num_frames = frames_seen(np.array([len(one) for one in positions]), max_frames)
    longest = int(num_frames.max())
    joints = positions[0].shape[1]
    padded = np.zeros((len(positions), longest, joints, 2), np.float32)
    found = np.zeros((len(positions), longest, joints), np.float32)
    for row, left in enumerate(num_frames):
        # All frames, where all are left: to pick them would copy them once more.
        total = len(positions[row])
        kept = slice(None) if left == total else thinned(total, max_frames)
        padded[row, :left] = positions[row][kept]
        found[row, :left] = confidence[row][kept]
    places, told = torch.from_numpy(padded), torch.from_numpy(found)
    places.masked_fill_((told <= 0)[..., None], 0.0)
    return PoseBatch(places, told, torch.from_numpy(num_frames))


@functools.cache
def index_on(device: torch.device, places: tuple[int | tuple[int, ...], ...]) -> Int[Tensor, "..."]:
    """Constant places along an axis as an index there.

    A list would become a tensor in every call, which on a GPU waits for all that was begun there.
    """
    # What is cached in prediction may be used in training.
    with torch.inference_mode(False):
        return torch.tensor(places, device=device)


def frames_seen(
    num_frames: Int[np.ndarray, " clips"], max_frames: int | None
) -> Int[np.ndarray, " clips"]:
    """How many frames `pad` leaves of clips."""
    return num_frames if max_frames is None else np.minimum(num_frames, max_frames)


def thinned(num_frames: int, max_frames: int | None) -> np.ndarray:
    """Indices of at most `max_frames` of `num_frames` frames, evenly spaced, ends included."""
    if max_frames is None or num_frames <= max_frames:
        return np.arange(num_frames)
    return np.linspace(0, num_frames - 1, max_frames).round().astype(np.int64)
