"""Random draws by clip, all from an explicit generator.

Numbers are drawn on the generator's device, so that a CPU generator gives the same clips on any
accelerator. Every clip draws for every transform, used or not: a draw depends on the clip's place
in the batch alone, never on how far the batch is padded.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator
) -> Float[Tensor, "..."]:
    """Numbers between `low` and `high`."""
    drawn = torch.rand(shape, generator=generator, device=generator.device)
    return drawn * (high - low) + low


def chance(
    shape: tuple[int, ...], probability: float, generator: torch.Generator
) -> Bool[Tensor, "..."]:
    """True with the given probability."""
    return torch.rand(shape, generator=generator, device=generator.device) < probability


def frame_generator(generator: torch.Generator) -> torch.Generator:
    """A generator of its own for numbers drawn by frame.

    How many there are depends on the padding; drawn frame by frame from here they leave the next
    draw of `generator` where it would be without padding.
    """
    seed = torch.randint(2**62, (), generator=generator, device=generator.device)
    return torch.Generator(device=generator.device).manual_seed(int(seed))
