"""A mean over steps that follows slowly."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SlowMean(nn.Module):
    """Exponential moving average of what the steps give; its buffers are all its state.

    The published decays (0.999) belong to 2^18 to 2^20 steps; in a thousand steps the start would
    never be forgotten. With `bounded` the horizon 1 / (1 - decay) is kept below a third of the
    steps so far, as that of the averaged weights (`training.ema_decay`); without, as published.
    """

    value: Tensor
    num_updates: Tensor

    def __init__(self, start: Float[Tensor, "..."], decay: float, *, bounded: bool) -> None:
        super().__init__()
        self.decay, self.bounded = decay, bounded
        self.register_buffer("value", start.clone())
        self.register_buffer("num_updates", torch.zeros(()))

    @torch.no_grad()
    def update(self, new: Float[Tensor, "..."]) -> None:
        """Move towards `new`, of the value's shape."""
        step = torch.full_like(self.num_updates, 1 - self.decay)
        if self.bounded:
            step = step.maximum(1 / ((1 + self.num_updates) / 3).clamp(min=1.0))
        self.value.lerp_(new.to(self.value.dtype), step)
        self.num_updates += 1
