"""Augmented views as a CUDA graph: one call instead of hundreds of kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from slr_ray.augmentation.draws import Draw, Source
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.skeleton import NUM_JOINTS

View = tuple[Float[Tensor, "clips frames channels"], Bool[Tensor, "clips frames"]]
Made = tuple[Tensor, ...]


class RecordedViews:
    """`make(batch, generator)` on a GPU, replayed: the same views for the same generator.

    The views of a batch are some 550 operations, which an H100 is through with in 1 ms and a
    processor takes 25 ms to begin (reports/2026-11-27-gpu.md). They are recorded once, for
    `num_clips` clips of `num_frames` frames. What is drawn is drawn by the processor as ever, and
    goes to the GPU in one piece. Smaller batches are filled up, and the views cut to their size;
    larger ones are made without the recording, and so are those that lack the ends of their clips
    where `needs_ends`, of which the augmentation tells.
    """

    def __init__(
        self,
        make: Callable[[PoseBatch, Source], View],
        num_clips: int,
        num_frames: int,
        device: torch.device,
        *,
        needs_ends: bool = False,
    ) -> None:
        self.make, self.device = make, device
        shape = (num_clips, num_frames, NUM_JOINTS)
        self.batch = PoseBatch(
            torch.zeros((*shape, 2), device=device),
            torch.zeros(shape, device=device),
            torch.ones(num_clips, dtype=torch.long, device=device),
            torch.zeros((num_clips, 2), device=device) if needs_ends else None,
        )
        self.draws: list[Draw] = []
        make(self.batch, self._note)
        sizes = [draw.size for draw in self.draws]
        self._numbers = torch.zeros(sum(sizes))
        self._host = self._shaped(self._numbers, sizes)
        self._there = torch.zeros(sum(sizes), device=device)
        numbers = self._shaped(self._there, sizes)

        def again() -> Made:
            ready = iter(numbers)
            return make(self.batch, lambda _: next(ready))

        self.views, self._replay = captured(again, device)

    def __call__(self, batch: PoseBatch, generator: torch.Generator) -> View:
        """Views of a batch on any device."""
        clips, frames = batch.confidence.shape[:2]
        most_clips, most_frames = self.batch.confidence.shape[:2]
        lacks_ends = batch.ends is None and self.batch.ends is not None
        if clips > most_clips or frames > most_frames or lacks_ends:
            return self.make(batch.to(self.device), generator)
        for draw, numbers in zip(self.draws, self._host, strict=True):
            numbers.narrow(draw.clip_axis, 0, clips).copy_(draw.for_clips(clips).of(generator))
        self._there.copy_(self._numbers, non_blocking=True)
        self._take(batch, most_clips - clips, most_frames - frames)
        self._replay()
        features, mask = (one[:clips, :frames].clone() for one in self.views)
        return features, mask

    def _take(self, batch: PoseBatch, more_clips: int, more_frames: int) -> None:
        """Put a batch where the recording reads; behind it clips of one frame without joints."""
        padded = functional.pad(batch.positions, (0, 0, 0, 0, 0, more_frames, 0, more_clips))
        self.batch.positions.copy_(padded, non_blocking=True)
        padded = functional.pad(batch.confidence, (0, 0, 0, more_frames, 0, more_clips))
        self.batch.confidence.copy_(padded, non_blocking=True)
        padded = functional.pad(batch.num_frames, (0, more_clips), value=1)
        self.batch.num_frames.copy_(padded, non_blocking=True)
        if batch.ends is not None and self.batch.ends is not None:
            padded = functional.pad(batch.ends, (0, 0, 0, more_clips))
            self.batch.ends.copy_(padded, non_blocking=True)

    def _note(self, draw: Draw) -> Tensor:
        self.draws.append(draw)
        return torch.zeros(draw.shape, device=self.device)

    def _shaped(self, numbers: Float[Tensor, " all"], sizes: list[int]) -> list[Tensor]:
        parts = torch.split(numbers, sizes)
        return [part.view(draw.shape) for part, draw in zip(parts, self.draws, strict=True)]


def captured(make: Callable[[], Made], device: torch.device) -> tuple[Made, Callable[[], None]]:
    """What `make` gives, and what computes it anew in the same place."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device):
        now = torch.cuda.current_stream()
        before = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        before.wait_stream(now)
        with torch.cuda.stream(before):
            # What a first call sets up can't be recorded.
            make()
        now.wait_stream(before)
        with torch.cuda.graph(graph):
            made = make()

    def replay() -> None:
        with torch.cuda.device(device):
            graph.replay()

    return made, replay
