"""The encoder of SSL-SLR's first author, as coded: hands and body embedded apart, one block."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.attention import Attention, check_heads
from slr_ray.models.dropout import Dropout
from slr_ray.models.model import Model
from slr_ray.poses.skeleton import BODY, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

JOINT_CHANNELS = 2 * NUM_JOINTS
"""What it reads: x and y of each joint in turn, and nothing else."""


class PartsTransformerConfig(Config):
    """Sizes of the code (`arielbassodev/sign_language_recognition`, commit cc36e6d, `encoder.py`).

    There the loop over 12 blocks applies the same one to the same input and keeps the last result,
    so that there is one block; and the position is one number a frame, added to all channels and
    taken out again by the layer norm behind it, so that there is none. What a permutation of frames
    changes is which of them comes first.
    """

    kind: Literal["parts_transformer"] = "parts_transformer"
    width: int = Field(512, ge=1)
    num_heads: int = Field(8, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_divide_width(self) -> PartsTransformerConfig:
        check_heads(self.width, self.num_heads)
        return self

    def build(self, num_channels: int, num_glosses: int) -> PartsTransformer:
        """A model with fresh weights, drawn from torch's global generator."""
        return PartsTransformer(self, num_channels, num_glosses)


class PartsTransformer(Model):
    """Left hand, right hand and body, embedded and normed apart, summed; one block; first frame.

    Both hands share a layer, as in the code: exchanging them changes nothing. Differs from it where
    it is a slip: padding is masked instead of attended to, and there is no class token, which the
    code draws anew at every call and never learns or returns. Where it puts a perceptron of three
    linear layers behind the encoder, for recognition, here is one layer.
    """

    def __init__(self, config: PartsTransformerConfig, num_channels: int, num_glosses: int) -> None:
        super().__init__()
        if num_channels != JOINT_CHANNELS:
            raise ValueError(
                f"{num_channels} input channels, but hands and body are told apart among the "
                f"{JOINT_CHANNELS} of the joints"
            )
        self.config = config
        width = config.width
        self.hand = nn.Linear(2 * (LEFT_HAND.stop - LEFT_HAND.start), width)
        self.body = nn.Linear(2 * (BODY.stop - BODY.start), width)
        # One behind the embedding and one before the block, both shared by the parts.
        self.part_norm = nn.Sequential(nn.LayerNorm(width), nn.LayerNorm(width))
        self.attention = Attention(width, config.num_heads, config.dropout)
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, width)
        self.dropout = Dropout(config.dropout)
        self.classifier = nn.Linear(width, num_glosses)

    def represent(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips width"]:
        joints = features.reshape(*mask.shape, NUM_JOINTS, 2)
        parts = ((self.body, BODY), (self.hand, LEFT_HAND), (self.hand, RIGHT_HAND))
        embedded = [layer(joints[:, :, part].flatten(2)) for layer, part in parts]
        frames = torch.stack([self.part_norm(one) for one in embedded]).sum(dim=0)
        # Only the first frame's state is asked for, and one block has no other to hand on.
        first = frames[:, :1]
        first = first + self.attention(first, frames, mask)
        mixed = self.dropout(self.mix(self.dropout(functional.gelu(self.norm(first)))))
        represented: Tensor = (first + mixed)[:, 0]
        return represented
