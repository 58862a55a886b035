"""Clips read as padded batches: one way for a corpus, for parts of several, and for memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from slr_ray.poses.batch import PoseBatch, frames_seen, pad
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


class WholeClips(ReadableClips, Protocol):
    """Clips of which one is told more than their frames."""

    def clip(self, index: int) -> Clip:
        """One with all that is known of it."""


FindEnds = Callable[[PoseBatch], Float[torch.Tensor, "clips 2"]]
"""`PoseBatch.ends` of whole clips, no frame of them left out."""


@dataclass(frozen=True)
class ClipsInMemory:
    """Clips that no file has, such as those of videos that are predicted at once."""

    clips: Sequence[Clip]

    @cached_property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return np.array([one.num_frames for one in self.clips], np.int64)

    def clip(self, index: int) -> Clip:
        return self.clips[index]

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        clip = self.clips[index]
        return np.concatenate([clip.positions, clip.confidence[..., None]], axis=-1)


@dataclass(frozen=True)
class CutClips:
    """Parts of clips, each a clip of its own."""

    source: ReadableClips
    clips: Int[np.ndarray, " parts"]
    bounds: Int[np.ndarray, "parts 2"]
    """First frame of each part, and the one behind its last."""

    @property
    def num_frames(self) -> Int[np.ndarray, " parts"]:
        start, end = self.bounds.T
        return np.asarray(end - start)

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        start, end = self.bounds[index]
        return self.source.frames_of(int(self.clips[index]))[start:end]


@dataclass(frozen=True)
class WithHands:
    """Clips without those of their frames that show no hand; one that shows none stays whole.

    `num_frames` is that of the whole clips: an upper bound, so that not all of them are read to be
    counted; `num_frames_read` counts those that are asked for.
    """

    clips: ReadableClips

    @property
    def num_frames(self) -> Int[np.ndarray, " clips"]:
        return self.clips.num_frames

    def frames_of(self, index: int) -> Float[np.ndarray, "frames 54 3"]:
        frames = self.clips.frames_of(index)
        seen = _show_hands(frames)
        return frames[seen] if seen.any() else frames

    def count(self, index: int) -> int:
        """How many frames `frames_of` gives."""
        frames = self.clips.frames_of(index)
        return int(_show_hands(frames).sum()) or len(frames)


def num_frames_read(
    clips: ReadableClips, rows: Int[np.ndarray, " clips"], max_frames: int | None = None
) -> Int[np.ndarray, " clips"]:
    """How many frames `read` gives of each of `rows`."""
    if isinstance(clips, WithHands):
        counts = np.array([clips.count(int(row)) for row in rows], np.int64)
    else:
        counts = clips.num_frames[rows]
    return frames_seen(counts, max_frames)


def read(
    clips: ReadableClips,
    rows: Int[np.ndarray, " batch"],
    max_frames: int | None,
    draw: torch.Generator | None = None,
    find_ends: FindEnds | None = None,
) -> PoseBatch:
    """The clips of `rows`, in image coordinates; long ones thinned to `max_frames`.

    Evenly; or with `draw`, a frame at random of each of `max_frames` equal parts of the clip.
    None leaves them whole. With `find_ends`, each clip's ends are found before it is thinned.
    """
    frames = [clips.frames_of(int(row)) for row in rows]
    ends = None
    if find_ends is not None:
        ends = find_ends(_padded(frames, max(len(one) for one in frames)))
    if draw is not None and max_frames is not None:
        places = torch.rand((len(rows), max_frames), generator=draw, device=draw.device)
        frames = [_drawn(one, own) for one, own in zip(frames, places.cpu().numpy(), strict=True)]
    return replace(_padded(frames, max_frames), ends=ends)


def _show_hands(frames: Float[np.ndarray, "frames 54 3"]) -> Bool[np.ndarray, " frames"]:
    return np.asarray((frames[:, HANDS, 2] > 0).any(axis=1))


def _padded(frames: Sequence[Float[np.ndarray, "_ 54 3"]], max_frames: int | None) -> PoseBatch:
    return pad([one[..., :2] for one in frames], [one[..., 2] for one in frames], max_frames)


def _drawn(
    frames: Float[np.ndarray, "frames 54 3"], places: Float[np.ndarray, " parts"]
) -> Float[np.ndarray, "kept 54 3"]:
    """A frame of each part, at `places` (0 to 1) of it; short clips whole."""
    parts = len(places)
    if len(frames) <= parts:
        return frames
    chosen = (np.arange(parts) + places.astype(np.float64)) * (len(frames) / parts)
    kept: np.ndarray = frames[chosen.astype(np.int64).clip(max=len(frames) - 1)]
    return kept


def in_batches(
    clips: ReadableClips,
    rows: Int[np.ndarray, " clips"],
    batch_clips: int,
    max_frames: int | None,
    find_ends: FindEnds | None = None,
) -> Iterator[tuple[Int[np.ndarray, " batch"], PoseBatch]]:
    """Each batch with the places of its clips in `rows`.

    Clips of similar length share a batch, so that little is padded.
    """
    order = np.argsort(num_frames_read(clips, rows), kind="stable")
    for start in range(0, len(rows), batch_clips):
        places = order[start : start + batch_clips]
        yield places, read(clips, rows[places], max_frames, find_ends=find_ends)
