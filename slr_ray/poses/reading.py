"""Clips read as padded batches: one way for a corpus, for parts of several, and for memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from slr_ray.poses.batch import PoseBatch, pad
from slr_ray.poses.clip import Clip
from slr_ray.poses.skeleton import HANDS


@runtime_checkable
class ReadableClips(Protocol):
    """Clips under an index that counts from 0."""

    @property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        """Of each clip."""

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        """x, y and confidence of every joint, in image coordinates."""


@dataclass(frozen=True)
class ClipsInMemory:
    """Clips that no file has, such as those of videos that are predicted at once."""

    clips: Sequence[Clip]

    @cached_property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return np.array([one.num_frames for one in self.clips], np.int64)

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        clip = self.clips[index]
        return np.concatenate([clip.positions, clip.confidence[..., None]], axis=-1)


def read(
    clips: ReadableClips,
    rows: Int[np.ndarray, " batch"],
    max_frames: int,
    *,
    drop_handless: bool = False,
) -> PoseBatch:
    """The clips of `rows`, in image coordinates; long ones thinned to `max_frames`.

    With `drop_handless` frames without a hand are left out first, except where a clip has no other.
    """
    frames = [clips.frames_of(int(row)) for row in rows]
    if drop_handless:
        frames = [_with_hands(one) for one in frames]
    return pad([one[..., :2] for one in frames], [one[..., 2] for one in frames], max_frames)


def in_batches(
    clips: ReadableClips,
    rows: Int[np.ndarray, " clips"],
    batch_clips: int,
    max_frames: int,
    *,
    drop_handless: bool = False,
) -> Iterator[tuple[Int[np.ndarray, " batch"], PoseBatch]]:
    """Each batch with the places of its clips in `rows`.

    Clips of similar length share a batch, so that little is padded. `drop_handless` as in `read`.
    """
    order = np.argsort(clips.num_frames[rows], kind="stable")
    for start in range(0, len(rows), batch_clips):
        places = order[start : start + batch_clips]
        yield places, read(clips, rows[places], max_frames, drop_handless=drop_handless)


def _with_hands(frames: Float[np.ndarray, "frames 54 3"]) -> Float[np.ndarray, "kept 54 3"]:
    seen = (frames[:, HANDS, 2] > 0).any(axis=1)
    return frames[seen] if seen.any() else frames
