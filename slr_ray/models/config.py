"""The models to choose from, each both a recogniser and an encoder to pre-train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, assert_never

from pydantic import Field
from torch import nn

from slr_ray.models.model import Model
from slr_ray.models.pose_transformer import PoseTransformer, PoseTransformerConfig
from slr_ray.models.spoter import Spoter, SpoterConfig

ModelConfig = Annotated[SpoterConfig | PoseTransformerConfig, Field(discriminator="kind")]

_CLASSIFIER = "classifier."


def new_model(
    config: SpoterConfig | PoseTransformerConfig, num_channels: int, num_glosses: int
) -> Model:
    """A model with fresh weights, drawn from torch's global generator."""
    match config:
        case SpoterConfig():
            return Spoter(config, num_channels, num_glosses)
        case PoseTransformerConfig():
            return PoseTransformer(config, num_channels, num_glosses)
        case _:
            assert_never(config)


def new_encoder(config: SpoterConfig | PoseTransformerConfig, num_channels: int) -> Model:
    """The same without a classifier: calling it gives representations."""
    encoder = new_model(config, num_channels, 1)
    encoder.classifier = nn.Identity()
    return encoder


def representation_width(config: SpoterConfig | PoseTransformerConfig, num_channels: int) -> int:
    """Numbers in a representation."""
    return config.width or num_channels


def load_encoder_weights(model: nn.Module, encoder: Mapping[str, Any]) -> None:
    """Take everything but the classifier from an encoder's state.

    Raises `ValueError` where the encoder is of another architecture.
    """
    own = {name for name in model.state_dict() if not name.startswith(_CLASSIFIER)}
    if own != set(encoder):
        different = sorted(own ^ set(encoder))[0]
        raise ValueError(f"the encoder is of another architecture: they differ in {different!r}")
    try:
        model.load_state_dict(dict(encoder), strict=False)
    except RuntimeError as error:
        raise ValueError(f"the encoder is of another architecture: {error}") from None
