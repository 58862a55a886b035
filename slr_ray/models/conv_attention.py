"""Temporal convolutions beside attention: the recogniser that learns most from few clips.

Sources: depthwise-separable temporal convolutions in front of attention layers are how the first
place of Google's Isolated Sign Language Recognition competition read landmarks (Sohn 2023, on
Kaggle), and what Conformer does for speech (Gulati et al. 2020, section 2). Convolutions see the
order of frames and learn local motion from few clips; attention relates a sign's parts.
"""

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
from slr_ray.models.frame_norm import FrameNorm
from slr_ray.models.model import Model
from slr_ray.models.pooling import mean_of_frames


class ConvAttentionConfig(Config):
    """Stages of convolution blocks, each ended by an attention layer.

    What differs from the competition's model: convolutions look both ways, as a clip is known
    whole; no channel attention; widths and depths for thousands instead of a hundred thousand
    clips.
    """

    kind: Literal["conv_attention"] = "conv_attention"
    width: int = Field(128, ge=1)
    num_stages: int = Field(2, ge=1)
    """Each is `num_convolutions` convolution blocks and one attention layer."""
    num_convolutions: int = Field(2, ge=0)
    kernel: int = Field(5, ge=1)
    """Frames that a convolution sees; odd."""
    num_heads: int = Field(4, ge=1)
    expansion: int = Field(2, ge=1)
    """Width inside the attention layers' feed-forward parts, as a multiple of `width`."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Of the blocks."""
    final_dropout: float = Field(0.3, ge=0, lt=1)
    """Of the representation, before the classifier."""
    pooling: Literal["mean", "mean_max"] = "mean"
    """How frames become one representation: their mean, or mean and maximum beside each other."""

    @model_validator(mode="after")
    def _fits(self) -> ConvAttentionConfig:
        check_heads(self.width, self.num_heads)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel {self.kernel} is even: it would shift frames in time")
        return self

    def build(self, num_channels: int, num_glosses: int) -> ConvAttention:
        """A model with fresh weights, drawn from torch's global generator."""
        return ConvAttention(self, num_channels, num_glosses)


class ConvAttention(Model):
    """Frames → linear embedding → stages → pooled over the real frames → glosses."""

    def __init__(self, config: ConvAttentionConfig, num_channels: int, num_glosses: int) -> None:
        super().__init__()
        self.config = config
        width = config.width
        # Without weights of its own, so that no gradient has to reach the input.
        self.input_norm = FrameNorm(num_channels, affine=False)
        self.embedding = nn.Linear(num_channels, width, bias=False)
        self.embedding_norm = FrameNorm(width)
        layers: list[nn.Module] = []
        for _ in range(config.num_stages):
            for _ in range(config.num_convolutions):
                layers.append(ConvolutionBlock(width, config.kernel, config.dropout))
            hidden = width * config.expansion
            layers.append(
                EncoderLayer(width, config.num_heads, hidden, config.dropout, norm_first=True)
            )
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(config.final_dropout)
        pooled = width * (2 if config.pooling == "mean_max" else 1)
        self.reduction = nn.Linear(pooled, width) if pooled != width else nn.Identity()
        self.classifier = nn.Linear(width, num_glosses)

    def represent(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips width"]:
        frames = self.embedding(self.input_norm(features, mask))
        frames = self.embedding_norm(frames, mask)
        for layer in self.layers:
            frames = layer(frames, mask)
        frames = self.norm(frames)
        pooled = mean_of_frames(frames, mask)
        if self.config.pooling == "mean_max":
            # No frame at all would leave minus infinity; a batch has none, padding rows may.
            real_only = frames.masked_fill(~mask[..., None], -torch.inf)
            highest = real_only.amax(dim=1).nan_to_num(neginf=0.0)
            pooled = torch.cat([pooled, highest], dim=-1)
        represented: Tensor = self.dropout(self.reduction(pooled))
        return represented


class ConvolutionBlock(nn.Module):
    """A depthwise-separable convolution over time with a residual around it.

    Each channel is convolved for itself, normed, passed through SiLU; then channels are mixed.
    Frames of the padding are 0 when the convolution reads them, so that a clip's result does not
    depend on how far its batch is padded.
    """

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, 1, 1, kernel))
        # As torch's own convolutions begin.
        bound = kernel**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        self.norm = FrameNorm(width)
        self.mix = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(
        self, frames: Float[Tensor, "clips frames width"], mask: Bool[Tensor, "clips frames"]
    ) -> Float[Tensor, "clips frames width"]:
        real = frames * mask[..., None]
        # As an image of one row with the channels last: no copy, and a third of conv1d's time on a
        # processor.
        image = real[:, None].permute(0, 3, 1, 2)
        convolved = functional.conv2d(
            image, self.weight, padding=(0, self.weight.shape[-1] // 2), groups=len(self.weight)
        )
        normed = self.norm(convolved.permute(0, 2, 3, 1)[:, 0], mask)
        output: Tensor = frames + self.dropout(self.mix(functional.silu(normed)))
        return output
