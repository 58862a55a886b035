"""Random draws by clip, all from an explicit source.

Numbers are drawn on the generator's device, so that a CPU generator gives the same clips on any
accelerator. Every clip draws for every transform, used or not: a draw depends on the clip's place
in the batch alone, never on how far the batch is padded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Draw:
    """What an augmentation asks for at once."""

    kind: Literal["uniform", "uniform_by_frame"]
    shape: tuple[int, ...]
    """Clips, then more of each; frames before clips where it is by frame."""

    @property
    def clip_axis(self) -> int:
        return 0 if self.kind == "uniform" else 1

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def for_clips(self, count: int) -> Draw:
        """The same for another number of clips."""
        axis = self.clip_axis
        return replace(self, shape=(*self.shape[:axis], count, *self.shape[axis + 1 :]))

    def of(self, generator: torch.Generator) -> Float[Tensor, "..."]:
        """Numbers between 0 and 1.

        How many there are by frame depends on the padding. Drawn frame by frame from a generator of
        their own they leave the next draw of `generator` where it would be without padding.
        """
        device = generator.device
        if self.kind == "uniform":
            return torch.rand(self.shape, generator=generator, device=device)
        seed = torch.randint(2**62, (), generator=generator, device=device)
        own = torch.Generator(device=device).manual_seed(int(seed))
        return torch.rand(self.shape, generator=own, device=device)


Source = torch.Generator | Callable[[Draw], Tensor]
"""A generator, or whoever has the numbers at hand (`recorded`)."""


def uniform(
    shape: tuple[int, ...], low: float, high: float, source: Source
) -> Float[Tensor, "..."]:
    """Numbers between `low` and `high`."""
    return _drawn(Draw("uniform", shape), source) * (high - low) + low


def chance(shape: tuple[int, ...], probability: float, source: Source) -> Bool[Tensor, "..."]:
    """True with the given probability."""
    return _drawn(Draw("uniform", shape), source) < probability


def uniform_by_frame(
    clips: int, frames: int, more: tuple[int, ...], source: Source
) -> Float[Tensor, "clips frames ..."]:
    """Numbers between 0 and 1 for each frame of each clip."""
    return _drawn(Draw("uniform_by_frame", (frames, clips, *more)), source).transpose(0, 1)


def _drawn(draw: Draw, source: Source) -> Tensor:
    return draw.of(source) if isinstance(source, torch.Generator) else source(draw)
