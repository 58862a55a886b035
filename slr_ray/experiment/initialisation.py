"""What training starts from: fresh weights, an encoder in a file, or pre-training."""

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


Initialisation = Annotated[
    FreshWeights | EncoderFile | PretrainingConfig, Field(discriminator="kind")
]
