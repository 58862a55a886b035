"""What training on sentences has beside the section `training`."""

from __future__ import annotations

from pydantic import Field

from slr_ray.config import Config
from slr_ray.sentences.config import DecodingConfig, DenseLabelsConfig


class SentencesConfig(Config):
    """The loss is CTC's of all parts together, and what the weights below add to it."""

    label_prior: float = Field(0.3, ge=0)
    """Power of each class's frequency that its probability is divided by where paths are weighed
    (see `ctc_loss`), when a training begins; it falls linearly to 0. Plain CTC with 0: on chains of
    real signs a model then says nothing for longer, and later a sign in a step or two. Embedded
    sentences, whose signs are short, do better so with few labels."""
    early_weight: float = Field(1.0, ge=0)
    """Of CTC's loss of a head of all parts before the sequence encoder (VAC, arXiv 2104.02330: 1):
    without it the model says nothing for longer than a short training takes."""
    part_weight: float = Field(0.0, ge=0)
    """Of CTC's loss of each part's own head (MSKA, arXiv 2405.05672: 1). Beside the early head they
    cost a little on embedded sentences, instead of it a lot (reports/2026-11-26-sentences.md)."""
    distillation_weight: float = Field(1.0, ge=0)
    """Of the divergence of every head from the mean of all (MSKA, arXiv 2405.05672)."""
    dplr: DenseLabelsConfig = DenseLabelsConfig()
    """Dense pseudo-labels for the steps between spikes (arXiv 2303.11771)."""
    decoding: DecodingConfig = DecodingConfig()
    resample_probability: float = Field(0.8, ge=0, le=1)
    """That a sentence is played at another speed in training."""
    shortest: float = Field(0.5, gt=0, le=1)
    """Of its frames then, uniform from this (MSKA: 0.5) ..."""
    longest: float = Field(1.5, ge=1)
    """... to this (MSKA: 1.5); never fewer than its glosses need, nor more than
    `training.max_frames`."""

    splice_probability: float = Field(0.0, ge=0, le=1)
    """That a training sentence ends as another one does, both cut where two glosses meet: as far as
    the model tells them rightly by then (`splicing.py`). For few labelled sentences, whose order of
    glosses a model learns by heart: 0.8; where glosses have no order it gains nothing
    (reports/2026-11-28-splicing.md)."""

    @property
    def has_dense_labels(self) -> bool:
        """Whether anything is trained on dense labels."""
        return self.dplr.source != "none" and self.dplr.weight > 0
