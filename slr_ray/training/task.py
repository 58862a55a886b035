"""What a round teaches: how its batches are made, what they cost, how the model is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from slr_ray.records.measured import AnyMetrics, UnlabelledFigures
from slr_ray.records.stages import State

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class Step:
    """What the loop knows of a gradient step."""

    forward: Callable[..., Any]
    """The model as it is trained: replicated, compiled."""
    average: nn.Module | None
    """The model with averaged weights, where there are such."""
    num_done: int
    """Steps before it in this round."""
    epoch: int
    rng: np.random.Generator


class Task(ABC, Generic[BatchT]):
    """Isolated signs or sentences, for one round; the loop around it is the same."""

    def begin_epoch(
        self, seed: np.random.SeedSequence, num_steps: int, average: nn.Module | None
    ) -> None:
        """Draw what an epoch needs besides its batches; `average` as a `Step` has it."""

    @abstractmethod
    def lengths(self) -> Int[np.ndarray, " clips"]:
        """Frames of each clip of the training set as this epoch's views have them, about."""

    @abstractmethod
    def batch(self, rows: Int[np.ndarray, " batch"], generator: torch.Generator) -> BatchT:
        """Views of rows of the training set; made in another thread, one batch ahead."""

    def batch_shape(self) -> tuple[int, int, int] | None:
        """Clips, frames and channels of what a step gives the model, where whole batches agree."""
        return None

    @abstractmethod
    def loss(self, batch: BatchT, step: Step) -> Float[Tensor, ""]:
        """What the step's gradient is taken of: of several workers, each one's part."""

    @abstractmethod
    def measured(self, model: nn.Module) -> AnyMetrics:
        """The model's figures on validation."""

    def evaluated(self, model: nn.Module) -> nn.Module:
        """What answers in the place of the model."""
        return model

    def figures(self) -> UnlabelledFigures | None:
        """Of the epoch's unlabelled clips, where there are some."""
        return None

    def state(self) -> State:
        """What a checkpoint keeps of it, beside the loop's own."""
        return {}

    def restore(self, state: State) -> None:
        """Take up from a checkpoint what `state` gave."""
