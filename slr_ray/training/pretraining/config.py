"""Settings of self-supervised pre-training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from slr_ray.augmentation.config import AugmentationConfig, BoundaryAugmentation
from slr_ray.config import Config
from slr_ray.objectives.objectives import ObjectiveConfig
from slr_ray.objectives.sl_fpn import SlFpnConfig
from slr_ray.storage import absolute
from slr_ray.training.config import Optimiser, Sgd


class PretrainingConfig(Config):
    """Pre-training of the encoder; the defaults are the paper's (arXiv 2509.05188, section 6.2)."""

    kind: Literal["pretraining"] = "pretraining"
    objective: ObjectiveConfig = SlFpnConfig()
    augmentation: AugmentationConfig = BoundaryAugmentation()
    """Of the two views; the original clip stays as it is."""
    clips: Literal["training", "all", "extra"] = "training"
    """Clips to learn from: those of the split's training part, labelled or not; all, for an encoder
    that is evaluated on another corpus; or only those of `extra_data`, to see what is transferred
    from there. Glosses are never read."""
    extra_data: tuple[str, ...] = ()
    """More pose shards to learn from. With a split by signer, and unless `clips` is all, clips of
    its validation and test signers are left out of them."""
    num_epochs: int = Field(200, ge=1)
    num_steps: int | None = Field(None, ge=1)
    """Gradient steps instead of epochs; a later `num_epochs` empties it."""
    batch_size: int = Field(512, ge=1)
    """Clips a gradient step, over all workers; all clips where there are fewer."""
    micro_batch_size: int | None = Field(None, ge=1)
    """Most clips of a batch that are in a worker's memory at a time; gradients of the
    micro-batches, of equal size or one clip apart, are added up before the step. The same result
    for SL-FPN and MoCo; for SimCLR the negatives, and wherever heads have batch norm its
    statistics, are then those of a micro-batch."""
    optimiser: Optimiser = Sgd()
    schedule: Literal["constant", "warmup_cosine"] = "constant"
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises linearly from 0."""
    gradient_clip: float | None = Field(None, gt=0)
    """Largest norm of a step's gradient; None = unbounded."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Dropout while pre-training; None = model.dropout. 0 saves a third of a CPU's time."""
    max_frames: int | None = Field(None, ge=2)
    """Longer clips are thinned evenly to so many frames; None = training.max_frames, 64 as
    published. Both None: whole clips."""
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    """Run the encoder through torch.compile."""
    collapse_threshold: float = Field(0.1, ge=0, le=1)
    """Below this the embedding counts as collapsed: the standard deviation of its L2-normalised
    dimensions times sqrt(width), 1 where clips spread evenly, 0 where all are the same. Of several
    workers it is the mean of what each finds among its own clips of a batch."""
    stop_on_collapse: bool = False
    """End pre-training with an error when an epoch ends collapsed; else only warn."""
    seed: int | None = Field(None, ge=0)
    """None = the experiment's seed, so that every seed pre-trains an encoder of its own; with a
    number all seeds share one."""

    @model_validator(mode="after")
    def _has_clips(self) -> PretrainingConfig:
        if self.clips == "extra" and not self.extra_data:
            raise ValueError("clips is 'extra', but extra_data names none")
        return self

    @field_validator("extra_data")
    @classmethod
    def _absolute(cls, locations: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(absolute(location) for location in locations)
