"""Settings of one round's training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slr_ray.config import Config
from slr_ray.records.measured import Metric, SentenceMetric


class Sgd(Config):
    """The release's optimiser: plain SGD (SPOTER code: 0.001, no momentum)."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.001, gt=0)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)


class AdamW(Config):
    kind: Literal["adamw"] = "adamw"
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)


Optimiser = Annotated[Sgd | AdamW, Field(discriminator="kind")]


class TrainingConfig(Config):
    """One round of training. The defaults are the published ones where there are any."""

    optimiser: Optimiser = Sgd()
    schedule: Literal["constant", "warmup_cosine"] = "constant"
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    """Share of a round's steps in which the learning rate rises linearly from 0."""
    num_epochs: int = Field(100, ge=1)
    """Epochs a round. The release's default; the paper is said to use 350."""
    steps_per_epoch: int | None = Field(None, ge=1)
    """Gradient steps of an epoch; None = one pass over the round's clips. A fixed number keeps
    epochs comparable while pseudo-labels make the training set grow."""
    batch_size: int = Field(1, ge=1)
    """Clips a gradient step, over all workers. The release takes one clip a step."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_balance: Literal["none", "loss", "sampling"] = "none"
    """`loss` weighs each gloss by its frequency^-0.5 among the round's labels, `sampling` draws the
    true labels of all glosses equally often."""
    ema_decay: float | None = Field(None, gt=0, lt=1)
    """Decay a step of the averaged weights that are evaluated and predict; None = the weights
    themselves. The average's horizon is kept below a third of the steps taken so far."""
    mixup: float = Field(0.0, ge=0)
    """Alpha of mixup's Beta distribution (Zhang et al. 2018) on the input features; 0 = off."""
    gradient_clip: float | None = Field(None, gt=0)
    """Largest norm of a step's gradient; None = unbounded (published)."""
    evaluate_every_epochs: int = Field(1, ge=1)
    metric: Metric | SentenceMetric = "balanced_accuracy"
    """The validation figure that chooses a round's epoch, the round and a search's trial; of
    sentences `gloss_accuracy`, 1 less the word error rate."""
    patience_epochs: int | None = Field(None, ge=1)
    """Stop a round when validation has not improved for so many epochs; None = never."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's model a round ends with: best on validation, or the last."""
    with_validation: bool = False
    """Validation's clips train with their labels as well, for a schedule that is settled: it takes
    `keep: last`, and what is told of validation is of clips that were learnt."""
    max_frames: int | None = Field(64, ge=2)
    """Longer clips are thinned evenly to so many frames; None = whole clips, as long as they are.
    A batch takes the memory of its longest clip."""
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    """Run the model through torch.compile. Not on a GPU: recorded, as below, passes take a seventh
    of what they take compiled (reports/2026-11-27-gpu.md)."""
    cuda_graphs: bool = True
    """Replay views and passes of isolated signs as CUDA graphs instead of starting their kernels
    one by one (`augmentation.recorded`, `models.cuda_graph`). On a GPU, where `max_frames` is set;
    passes also need one worker, no `compile`, and no rule of unlabelled clips that asks for
    representations. Elsewhere nothing changes."""
