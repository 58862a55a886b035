"""What is said of each step of a sentence: a gloss or none, by all parts and by each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from slr_ray.models.streams.part_streams import PartStreams


@dataclass(frozen=True)
class Heads:
    """Logits of each step, 0 being the blank of `fused` and `parts`; gloss g has column g + 1."""

    fused: Float[Tensor, "clips steps classes"]
    """Of all parts together: the model's answer."""
    parts: tuple[Float[Tensor, "clips steps classes"], ...]
    """Of each part alone."""
    frames: Float[Tensor, "clips steps glosses"]
    """Without a blank: which gloss is signed around there. Learnt from dense labels only."""
    mask: Bool[Tensor, "clips steps"]


class SentenceModel(nn.Module):
    """Part streams with heads for every step; the streams' own classifier tells frames apart."""

    def __init__(self, encoder: PartStreams) -> None:
        super().__init__()
        self.encoder = encoder
        num_classes = encoder.classifier.out_features + 1
        self.fused = nn.Linear(encoder.config.width, num_classes)
        self.parts = nn.ModuleList(
            nn.Linear(encoder.part_width, num_classes) for _ in encoder.parts
        )
        self.register_buffer("knows_frames", torch.tensor(False))

    knows_frames: Tensor
    """Whether `Heads.frames` was ever trained."""

    def forward(
        self, features: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Heads:
        """`mask` is True on real frames."""
        found = self.encoder.steps(features, mask)
        parts = [head(own) for head, own in zip(self.parts, found.parts.values(), strict=True)]
        return Heads(
            self.fused(found.fused),
            tuple(parts),
            self.encoder.classifier(found.fused),
            found.mask,
        )
