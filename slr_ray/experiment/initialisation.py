"""What training starts from: fresh weights, an encoder file, other glosses, or pre-training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from slr_ray.config import Config
from slr_ray.storage import absolute
from slr_ray.training.pretraining.config import PretrainingConfig


class FreshWeights(Config):
    """Random weights."""

    kind: Literal["fresh"] = "fresh"


class EncoderFile(Config):
    """An encoder that `python -m slr_ray.pretrain` wrote."""

    kind: Literal["encoder"] = "encoder"
    path: str
    allow_seen_clips: bool = False
    """Use the encoder even if it was pre-trained on validation or test clips of this experiment.
    Results are then not those on clips never seen."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        return absolute(path)


class OtherGlosses(Config):
    """An encoder that learned to tell the glosses of other labelled clips apart.

    Supervised pre-training: where another corpus has labels, they teach more of hands than views
    without labels do (reports/2026-11-26-recogniser.md). Its clips must be no validation or test
    clips, nor of their signers: such clips are left out.
    """

    kind: Literal["other_glosses"] = "other_glosses"
    data: str
    """Pose shards with glosses. Those without one are left out."""
    num_epochs: int = Field(40, ge=1)
    """Epochs of `training`, with all its settings but these two; the last model is taken."""
    learning_rate: float | None = Field(None, gt=0)
    """None = training.optimiser.learning_rate, which for what follows may well be lower."""
    seed: int | None = Field(None, ge=0)
    """None = the experiment's seed, so that every seed has an encoder of its own; with a number all
    seeds share one."""

    @field_validator("data")
    @classmethod
    def _absolute(cls, location: str) -> str:
        return absolute(location)


Initialisation = Annotated[
    FreshWeights | EncoderFile | OtherGlosses | PretrainingConfig, Field(discriminator="kind")
]
