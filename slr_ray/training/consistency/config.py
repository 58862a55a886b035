"""Settings of the unlabelled stream beside the labelled clips."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from slr_ray.augmentation.config import AugmentationConfig, BoundaryAugmentation, NoAugmentation
from slr_ray.config import Config
from slr_ray.selection.reject.rejections import Reject
from slr_ray.selection.steps.fixmatch import FixMatchConfig
from slr_ray.selection.steps.rules import StepRuleConfig
from slr_ray.training.consistency.co_learning import CoLearningConfig


class StepsConfig(Config):
    """How unlabelled clips, of signs or of sentences, take part in every gradient step."""

    unlabelled_ratio: float = Field(1.0, gt=0)
    """Unlabelled clips a step for each labelled one (FixMatch: 7). Steps take longer with more."""
    weight: float = Field(1.0, ge=0)
    """Weight of the unlabelled clips' mean loss beside the labelled ones' (lambda_u)."""
    warmup_fraction: float = Field(0.3, ge=0, le=1)
    """Share of the training's steps in which that weight rises linearly from 0 (papers: 0). In
    short trainings the first pseudo-labels are chance, and what learns them stays behind."""
    strong: AugmentationConfig | None = None
    """Views that are trained on; None = the experiment's augmentation."""
    teacher: Literal["ema", "student"] = "ema"
    """What labels the others: the averaged weights, or, as FixMatch has it, those in training.
    Either without dropout and with the statistics of batch norms."""

    def weight_at(self, num_done: int, num_steps: int) -> float:
        """That of the step after `num_done` of `num_steps`."""
        ramp = self.warmup_fraction * num_steps
        return self.weight * (min(1.0, num_done / ramp) if ramp else 1.0)


class StreamConfig(StepsConfig):
    """How unlabelled clips of isolated signs take part.

    The defaults are what did best of what reports/2026-11-26-recogniser.md compares; those of each
    rule are its paper's.
    """

    rule: StepRuleConfig = FixMatchConfig(confidence=0.8)
    """Which of a step's unlabelled clips are trained on, as what, and how much they weigh."""
    weak: AugmentationConfig = NoAugmentation()
    """Views that the teacher labels."""
    hard: bool = True
    """Train to the most likely gloss; otherwise to the whole distribution."""
    temperature: float = Field(1.0, gt=0)
    """Of distributions that are trained to: below 1 they are sharpened (`hard`: no effect)."""
    undo_smoothing: bool = True
    """Undo `training.label_smoothing` in the teacher's probabilities before a rule sees them: it
    caps confidence, at 0.908 for 0.1 and 12 glosses."""
    distribution_alignment: Literal["none", "labelled", "uniform"] = "labelled"
    """Bring the teacher's probabilities to the labelled pool's frequencies of glosses (ReMixMatch),
    or to even ones, before a rule sees them."""
    reject: Reject | None = None
    """Leave clips out whose gloss the teacher does not know, anew in every epoch; for open pools.
    As in rounds, nothing sees them: batches are full of others, and a rule remembers only those."""
    co_learning: CoLearningConfig | None = None
    """CoSSL's second classifier in the last part of the training, with any rule; None = none."""

    @model_validator(mode="after")
    def _clips_are_read_for_strong_views(self) -> StreamConfig:
        if isinstance(self.weak, BoundaryAugmentation) and self.weak.per_clip is not None:
            raise ValueError(
                "weak.per_clip: a step's clips are read as strong views need them; give weak views "
                "head_fraction and tail_fraction"
            )
        return self
