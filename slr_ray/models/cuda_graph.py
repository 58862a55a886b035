"""A model's training passes as CUDA graphs: one call each instead of hundreds of kernels."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.models.model import Model


class Recorded:
    """`model(features, mask)` in training on a GPU, replayed for whole batches.

    A step of these models is many kernels of microseconds, and a processor takes longer to start
    one than a GPU to run it (reports/2026-11-27-gpu.md). Forward and backward pass are recorded
    once, by `torch.cuda.make_graphed_callables`, and replayed as a whole. Batches are padded to
    one length, which no model minds; any other number of clips, as at the end of an epoch, goes
    through the model itself. Dropout draws from torch's generator as ever, but other numbers.
    """

    def __init__(
        self, model: Model, shape: tuple[int, int, int], *, bfloat16: bool = False
    ) -> None:
        """`shape` is that of a whole batch's features: clips, frames (at most), channels."""
        self.model, self.shape = model.train(), shape
        device = next(model.parameters()).device
        features = torch.zeros(shape, device=device)
        mask = torch.ones(shape[:2], dtype=torch.bool, device=device)
        before = copy.deepcopy(model.state_dict())
        # Gradients are added up on another stream than they were recorded on, which is meant.
        torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16, cache_enabled=False):
            self._replay: Callable[..., Any] = torch.cuda.make_graphed_callables(
                _Passes(model), (features, mask), allow_unused_input=True
            )
        # The passes that come before a recording count for running statistics.
        model.load_state_dict(before)

    def __call__(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips glosses"]:
        num_clips, num_frames, _ = self.shape
        missing = num_frames - features.shape[1]
        if len(features) != num_clips or missing < 0 or not self.model.training:
            logits: Tensor = self.model(features, mask)
            return logits
        if missing:
            features = functional.pad(features, (0, 0, 0, missing))
            mask = functional.pad(mask, (0, missing))
        replayed: Tensor = self._replay(features, mask)
        return replayed


class _Passes(nn.Module):
    """What is recorded gets another `forward`: not the model, which others copy and keep."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.model(features, mask)
        return logits
