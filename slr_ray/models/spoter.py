"""SPOTER (Boháček and Hrúz 2022) on padded batches: frames → encoder → class query → glosses."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from slr_ray.config import Config
from slr_ray.models.attention import EncoderLayer, QueryDecoderLayer, check_heads
from slr_ray.models.model import Model
from slr_ray.models.positions import sinusoids


class SpoterConfig(Config):
    """The defaults are the release's (SPOTER code, facts: 108 wide, 9 heads, 6 + 6 layers)."""

    kind: Literal["spoter"] = "spoter"
    width: int | None = Field(None, ge=1)
    """Width of the encoder; None = the number of input channels, unprojected (published)."""
    num_heads: int = Field(9, ge=1)
    num_encoder_layers: int = Field(6, ge=1)
    num_decoder_layers: int = Field(6, ge=1)
    hidden: int = Field(2048, ge=1)
    """Width inside the feed-forward parts."""
    dropout: float = Field(0.1, ge=0, lt=1)
    positions: Literal["constant", "sinusoidal"] = "constant"
    """`constant` adds one learned vector to every frame, as the release does: the encoder then has
    no temporal order. `sinusoidal` adds a code of the frame's index."""
    norm_first: bool = False
    """Layer norm before each encoder part instead of after it (published: after)."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> SpoterConfig:
        if self.width is not None:
            check_heads(self.width, self.num_heads)
        return self

    def build(self, num_channels: int, num_glosses: int) -> Spoter:
        """A model with fresh weights, drawn from torch's global generator."""
        return Spoter(self, num_channels, num_glosses)


class Spoter(Model):
    """SPOTER's model; differs from the release in two ways.

    Clips are padded and masked instead of coming one at a time (same outputs), and the decoder
    layer is written out: the release deletes a part that current `nn.TransformerDecoder` needs.
    """

    def __init__(self, config: SpoterConfig, num_channels: int, num_glosses: int) -> None:
        super().__init__()
        self.config = config
        width = config.width or num_channels
        if width % config.num_heads:
            raise ValueError(
                f"{num_channels} input channels are not divisible by {config.num_heads} heads: "
                "set model.width"
            )
        self.projection = nn.Identity() if config.width is None else nn.Linear(num_channels, width)
        self.position = nn.Parameter(torch.rand(1, 1, width))
        self.class_query = nn.Parameter(torch.rand(1, 1, width))
        self.encoder = nn.ModuleList(
            EncoderLayer(width, config.num_heads, config.hidden, config.dropout, config.norm_first)
            for _ in range(config.num_encoder_layers)
        )
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(
            QueryDecoderLayer(width, config.num_heads, config.hidden, config.dropout)
            for _ in range(config.num_decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, num_glosses)

    def represent(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips width"]:
        frames = self.projection(features) + self.position
        if self.config.positions == "sinusoidal":
            frames = frames + sinusoids(frames.shape[1], frames.shape[2], frames.device)
        for layer in self.encoder:
            frames = layer(frames, mask)
        frames = self.encoder_norm(frames)
        query = self.class_query.expand(frames.shape[0], -1, -1)
        for layer in self.decoder:
            query = layer(query, frames, mask)
        represented: Tensor = self.decoder_norm(query)[:, 0]
        return represented
