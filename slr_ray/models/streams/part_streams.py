"""Hands and body read apart over time, then together: for sentences, and for isolated signs.

After DFConv (Jang et al. 2023, arXiv 2303.11771), which divides a video's picture into regions with
kernels of their own, "designed to leverage prior knowledge about the structure of human bodies";
beyond its abstract that paper's text was not available, and poses have no picture to divide. Here
the parts are those of the skeleton. Their convolutions are those of VAC (Min et al. 2021,
arXiv 2104.02330: K5-P2-K5-P2), the streams as in MSKA (Guan et al. 2024, arXiv 2405.05672).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.attention import check_heads
from slr_ray.models.dropout import Dropout
from slr_ray.models.model import Model
from slr_ray.models.pooling import mean_of_frames
from slr_ray.models.streams.channels import INPUT_CHANNELS, PARTS, part_channels
from slr_ray.models.streams.sequences import Lstm, Transformer

_KERNEL = 5


class PartStreamsConfig(Config):
    """Streams of parts, thinned to a quarter of the frames, and a sequence encoder over all."""

    kind: Literal["part_streams"] = "part_streams"
    division: Literal["divided", "shared_hands", "joint"] = "divided"
    """`divided`: right hand, left hand and body with weights of their own. `shared_hands`: both
    hands, the left one mirrored, with the same weights. `joint`: one stream for all, as wide as
    gives about as many weights: the baseline that is not divided."""
    part_width: int = Field(64, ge=1)
    """Of each part's stream."""
    sequence: Literal["lstm", "transformer"] = "lstm"
    """What relates the steps: LSTMs in both directions, or a transformer (norm first, sines)."""
    width: int = Field(256, ge=2)
    """Of the sequence encoder, for `lstm` half of it in either direction."""
    num_layers: int = Field(2, ge=1)
    """Of the sequence encoder."""
    num_heads: int = Field(4, ge=1)
    """Of the transformer."""
    answer: Literal["fused", "both"] = "both"
    """What says a sentence: the head behind the sequence encoder, as in VAC, or step by step the
    geometric mean of it and the early head. The first has learnt its sentences, grammar and all,
    and stumbles over others; the second sees half a second (reports/2026-11-28-two-heads.md)."""
    dropout: float = Field(0.2, ge=0, lt=1)
    part_dropout: float = Field(0.0, ge=0, lt=1)
    """That a clip's part is not seen in a training step (CoSign, Jiao et al. 2023)."""

    @model_validator(mode="after")
    def _fits(self) -> PartStreamsConfig:
        if self.sequence == "transformer":
            check_heads(self.width, self.num_heads)
        elif self.width % 2:
            raise ValueError(f"width {self.width} is odd: an LSTM has half of it in each direction")
        return self

    def build(self, num_channels: int, num_glosses: int) -> PartStreams:
        """A model with fresh weights, drawn from torch's global generator."""
        return PartStreams(self, num_channels, num_glosses)


@dataclass(frozen=True)
class Steps:
    """What the streams say of clips, a step for each four frames or what is left of them."""

    fused: Float[Tensor, "clips steps width"]
    parts: dict[str, Float[Tensor, "clips steps part_width"]]
    together: Float[Tensor, "clips steps all_parts"]
    """The parts side by side, as the sequence encoder reads them."""
    mask: Bool[Tensor, "clips steps"]
    """True on steps that have a real frame."""


class PartStreams(Model):
    """Parts → streams → sequence encoder → steps; of isolated signs, their mean → glosses."""

    def __init__(self, config: PartStreamsConfig, num_channels: int, num_glosses: int) -> None:
        super().__init__()
        if num_channels != INPUT_CHANNELS:
            raise ValueError(
                f"{num_channels} input channels, but parts are told apart among the "
                f"{INPUT_CHANNELS} of a signing space with all its geometry"
            )
        self.config = config
        signed = part_channels()
        if config.division == "joint":
            signed = {"joint": [one for part in PARTS for one in signed[part]]}
        self.parts = tuple(signed)
        channels, signs = zip(*(one for part in self.parts for one in signed[part]), strict=True)
        # Known from the code, so that checkpoints need not hold them.
        self.register_buffer("channels", torch.tensor(channels), persistent=False)
        self.register_buffer("signs", torch.tensor(signs), persistent=False)
        self.num_channels = [len(signed[part]) for part in self.parts]
        self.part_width = config.part_width
        if config.division == "joint":
            self.part_width = round(math.sqrt(len(PARTS)) * config.part_width)
        streams = {
            part: Stream(count, self.part_width, config.dropout)
            for part, count in zip(self.parts, self.num_channels, strict=True)
            if part != "left_hand" or config.division != "shared_hands"
        }
        self.streams = nn.ModuleDict(streams)
        self.fusion = nn.Linear(self.part_width * len(self.parts), config.width)
        of_kind = Lstm if config.sequence == "lstm" else Transformer
        self.sequence: nn.Module = of_kind(
            config.width, config.num_layers, config.num_heads, config.dropout
        )
        self.classifier: nn.Linear = nn.Linear(config.width, num_glosses)

    channels: Tensor
    signs: Tensor

    def steps(
        self, features: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Steps:
        """What the parts and all together say of each step; 0 where a step has no real frame."""
        chosen = torch.split(features[..., self.channels] * self.signs, self.num_channels, dim=-1)
        parts = {
            part: self._stream(part)(own, mask)
            for part, own in zip(self.parts, chosen, strict=True)
        }
        together = torch.cat(self._seen(list(parts.values())), dim=-1)
        kept = steps_mask(mask)
        fused = self.sequence(self.fusion(together), kept)
        return Steps(fused * kept[..., None], parts, together, kept)

    def represent(
        self, features: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Float[Tensor, "clips width"]:
        found = self.steps(features, mask)
        return mean_of_frames(found.fused, found.mask)

    def _stream(self, part: str) -> nn.Module:
        return self.streams[part if part in self.streams else "right_hand"]

    def _seen(self, parts: list[Tensor]) -> list[Tensor]:
        """The parts with some clips' dropped, never all of a clip."""
        share = self.config.part_dropout
        if not self.training or not share or len(parts) == 1:
            return parts
        stays = torch.rand(len(parts), len(parts[0]), device=parts[0].device) >= share
        stays |= ~stays.any(dim=0)
        weights = stays / stays.float().mean(dim=0)
        return [part * own[:, None, None] for part, own in zip(parts, weights, strict=True)]


class Stream(nn.Module):
    """One part: a linear map and a norm a frame, then two convolutions, each with a pooling by two.

    Frames of the padding are 0 where a convolution or a pooling reads them, so that no clip's
    result depends on how far its batch is padded.
    """

    def __init__(self, num_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Linear(num_channels, width)
        self.norm = nn.LayerNorm(width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2) for _ in range(2)
        )
        self.dropout = Dropout(dropout)

    def forward(
        self, features: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Float[Tensor, "clips steps width"]:
        frames = functional.relu(self.norm(self.embedding(features)))
        found = self.dropout(frames).transpose(1, 2)
        for convolution in self.convolutions:
            real = mask[:, None].to(found.dtype)
            found = functional.relu(convolution(found * real)) * real
            # None is below 0, so that padding never is the higher of two.
            found = functional.max_pool1d(found, 2, ceil_mode=True)
            mask = _pooled(mask)
        steps: Tensor = self.dropout(found.transpose(1, 2))
        return steps


def steps_mask(mask: Bool[Tensor, "clips frames"]) -> Bool[Tensor, "clips steps"]:
    """The mask of steps that belongs to one of frames."""
    return _pooled(_pooled(mask))


def _pooled(mask: Bool[Tensor, "clips frames"]) -> Bool[Tensor, "clips half"]:
    # Real frames are in front: of two the first decides.
    return mask[:, ::2]
