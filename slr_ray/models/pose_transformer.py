"""SSL-SLR's pose transformer (arXiv 2509.05188, section 6.2): a vision transformer over frames."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.attention import EncoderLayer, check_heads
from slr_ray.models.dropout import Dropout
from slr_ray.models.model import Model
from slr_ray.models.pooling import mean_of_frames
from slr_ray.models.positions import sinusoids

_INITIAL_STD = 0.02


class PoseTransformerConfig(Config):
    """The defaults are the paper's where it states a value (section 6.2).

    It names a vision transformer (Dosovitskiy et al. 2020): so norm before each part, a class
    token, learned positions and a feed-forward part of four times the width. Activation: ReLU, as
    in the rest of this project's layers, where that paper has GELU.
    """

    kind: Literal["pose_transformer"] = "pose_transformer"
    width: int = Field(512, ge=1)
    num_heads: int = Field(8, ge=1)
    num_layers: int = Field(12, ge=1)
    """The paper's blocks."""
    hidden: int = Field(2048, ge=1)
    """Width inside the feed-forward parts."""
    dropout: float = Field(0.1, ge=0, lt=1)
    positions: Literal["learned", "sinusoidal"] = "learned"
    """Code of a frame's index: learned, for at most `max_frames` frames, or sines, for any."""
    max_frames: int = Field(64, ge=1)
    """Longest clip that learned positions allow."""
    pooling: Literal["token", "mean"] = "token"
    """The representation: a class token's last state, or the mean over the frames."""
    layer_norm: Literal["all", "blocks", "none"] = "all"
    """`all`: two at the input embedding (published) and those of the blocks. `blocks`: none at the
    input embedding. `none`: nowhere; both are for the ablation of the paper's section 7."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> PoseTransformerConfig:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, num_channels: int, num_glosses: int) -> PoseTransformer:
        """A model with fresh weights, drawn from torch's global generator."""
        return PoseTransformer(self, num_channels, num_glosses)


class PoseTransformer(Model):
    """Frames → two layer norms around a linear embedding → blocks → representation → glosses."""

    def __init__(self, config: PoseTransformerConfig, num_channels: int, num_glosses: int) -> None:
        super().__init__()
        self.config = config
        width = config.width
        normed = config.layer_norm == "all"
        self.embedding = nn.Sequential(
            nn.LayerNorm(num_channels) if normed else nn.Identity(),
            nn.Linear(num_channels, width),
            nn.LayerNorm(width) if normed else nn.Identity(),
        )
        has_token = config.pooling == "token"
        self.token = nn.Parameter(torch.randn(1, 1, width) * _INITIAL_STD) if has_token else None
        self.position = (
            nn.Parameter(torch.randn(config.max_frames, width) * _INITIAL_STD)
            if config.positions == "learned"
            else None
        )
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(width, config.num_heads, config.hidden, config.dropout, norm_first=True)
            for _ in range(config.num_layers)
        )
        self.norm: nn.Module = nn.LayerNorm(width)
        if config.layer_norm == "none":
            self.norm = nn.Identity()
            for layer in self.layers:
                layer.norm1, layer.norm2 = nn.Identity(), nn.Identity()
        self.classifier = nn.Linear(width, num_glosses)

    def represent(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips width"]:
        frames = self.dropout(self.embedding(features) + self._positions(features))
        if self.token is not None:
            token = self.token.expand(len(frames), -1, -1).to(frames.dtype)
            frames = torch.cat([token, frames], dim=1)
            mask = functional.pad(mask, (1, 0), value=True)
        for layer in self.layers:
            frames = layer(frames, mask)
        frames = self.norm(frames)
        if self.token is not None:
            token_state: Tensor = frames[:, 0]
            return token_state
        return mean_of_frames(frames, mask)

    def _positions(self, features: Tensor) -> Float[Tensor, "frames width"]:
        num_frames = features.shape[1]
        if self.position is None:
            return sinusoids(num_frames, self.config.width, features.device)
        if num_frames > len(self.position):
            raise ValueError(
                f"{num_frames} frames, but learned positions end at {len(self.position)}: "
                "set model.max_frames"
            )
        return self.position[:num_frames]
