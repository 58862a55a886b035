"""What one round of training is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.errors import RunFailed
from slr_ray.records.measured import EpochRecord, Metrics
from slr_ray.records.stages import State
from slr_ray.training.consistency.config import StreamConfig
from slr_ray.training.sampling import TrainingSet


@dataclass
class Round:
    """What to train in one round, and where the numbers of its records start."""

    number: int
    seed: int
    training_set: TrainingSet
    true_share: float | None = None
    pseudo_augmentation: AugmentationConfig | None = None
    """Augmentation of pseudo-labelled clips; None = the labelled clips' one."""
    steps_before: int = 0
    num_epochs: int | None = None
    """Instead of the configured number."""
    stream: StreamConfig | None = None
    """How the problem's unlabelled clips take part in every step; None = they do not."""


@dataclass
class Trained:
    """A finished round: the model kept, and its history."""

    model_state: State
    validation: Metrics
    epochs: list[EpochRecord]
    num_steps: int
    training_s: float


class NonFiniteLoss(RunFailed):
    """Training diverged; the message says what may help."""
