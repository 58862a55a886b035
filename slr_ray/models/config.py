"""The models to choose from, each both a recogniser and an encoder to pre-train.

A new one is one file with a `Config` that has a `kind` and `build`, and one member here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

import torch
from pydantic import Field
from torch import Tensor, nn

from slr_ray.models.conv_attention import ConvAttentionConfig
from slr_ray.models.model import Model
from slr_ray.models.parts_transformer import PartsTransformerConfig
from slr_ray.models.pose_transformer import PoseTransformerConfig
from slr_ray.models.spoter import SpoterConfig
from slr_ray.models.streams.part_streams import PartStreamsConfig
from slr_ray.models.streams.sentence_model import SentenceModel

AnyModel: TypeAlias = (
    SpoterConfig
    | PoseTransformerConfig
    | PartsTransformerConfig
    | ConvAttentionConfig
    | PartStreamsConfig
)
AnyRecogniser: TypeAlias = Model | SentenceModel
ModuleT = TypeVar("ModuleT", bound=nn.Module)
ModelConfig = Annotated[AnyModel, Field(discriminator="kind")]

_CLASSIFIER = "classifier."


def new_recogniser(
    config: AnyModel, num_channels: int, num_glosses: int, *, of_sentences: bool
) -> AnyRecogniser:
    """A model with fresh weights, drawn from torch's global generator; `ValueError` where the kind
    reads no sentences and should.
    """
    if not of_sentences:
        return config.build(num_channels, num_glosses)
    if not isinstance(config, PartStreamsConfig):
        raise ValueError(f"model.kind {config.kind!r} reads no sentences")
    return SentenceModel(config.build(num_channels, num_glosses))


def new_encoder(config: AnyModel, num_channels: int) -> Model:
    """A model without its classifier: calling it gives representations."""
    encoder: Model = config.build(num_channels, 1)
    encoder.classifier = nn.Identity()
    return encoder


def representation_width(config: AnyModel, num_channels: int) -> int:
    """Numbers in a representation."""
    return config.width or num_channels


def ignores_order(config: AnyModel) -> bool:
    """Whether frames in another order give the same representation."""
    return isinstance(config, SpoterConfig) and config.positions == "constant"


def with_dropout(config: AnyModel, dropout: float | None) -> AnyModel:
    """The same model with another dropout everywhere; None = its own."""
    if dropout is None:
        return config
    parts = [name for name in type(config).model_fields if name.endswith("dropout")]
    return config.model_copy(update=dict.fromkeys(parts, dropout))


def without_classifier(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A recogniser's weights as those of an encoder."""
    return {name: value for name, value in state.items() if not name.startswith(_CLASSIFIER)}


def with_weights(model: ModuleT, weights: Mapping[str, Any], device: torch.device) -> ModuleT:
    """A new model on `device` with all weights of one like it."""
    model.to(device).load_state_dict(weights)
    return model


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
