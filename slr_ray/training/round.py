"""What one round of training is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import TypeAdapter

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.errors import RunFailed
from slr_ray.records.measured import AnyMetrics, EpochRecord
from slr_ray.records.stages import State
from slr_ray.training.consistency.config import StreamConfig
from slr_ray.training.labels.sampling import TrainingSet
from slr_ray.training.sentences.stream_config import SentenceStreamConfig

Stream: TypeAlias = StreamConfig | SentenceStreamConfig
_METRICS: TypeAdapter[AnyMetrics | None] = TypeAdapter(AnyMetrics | None)


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
    stream: Stream | None = None
    """How the problem's unlabelled clips take part in every step; None = they do not."""


@dataclass
class Trained:
    """A finished round: the model kept, and its history."""

    model_state: State
    validation: AnyMetrics
    epochs: list[EpochRecord]
    num_steps: int
    training_s: float


@dataclass
class Progress:
    """How far a round has come, and its best model so far."""

    epoch: int = 0
    num_steps: int = 0
    training_s: float = 0.0
    best: AnyMetrics | None = None
    best_epoch: int = -1
    best_state: State | None = None
    epochs: list[EpochRecord] = field(default_factory=list)

    def state(self) -> State:
        """For a checkpoint."""
        return {
            "epoch": self.epoch,
            "num_steps": self.num_steps,
            "training_s": self.training_s,
            "best": self.best.model_dump() if self.best else None,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
            "epochs": [record.model_dump() for record in self.epochs],
        }

    @classmethod
    def of(cls, state: State) -> Progress:
        """What a checkpoint holds."""
        return cls(
            epoch=state["epoch"],
            num_steps=state["num_steps"],
            training_s=state["training_s"],
            best=_METRICS.validate_python(state["best"]),
            best_epoch=state["best_epoch"],
            best_state=state["best_state"],
            epochs=[EpochRecord.model_validate(record) for record in state["epochs"]],
        )


class NonFiniteLoss(RunFailed):
    """Training diverged; the message says what may help."""
