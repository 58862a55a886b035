"""What is said of each step of a sentence: a gloss or none, by all parts and by each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from slr_ray.models.streams.part_streams import PartStreams


@dataclass(frozen=True)
class Heads:
    """Logits of each step; of `frames` gloss g has column g, of all others g + 1 beside the blank.

    The early head is VAC's auxiliary one (Min et al. 2021, arXiv 2104.02330), the parts' are MSKA's
    (Guan et al. 2024, arXiv 2405.05672).
    """

    fused: Float[Tensor, "clips steps classes"]
    """Of all parts together, each step in the light of the others."""
    early: Float[Tensor, "clips steps classes"]
    """Of all parts together, before steps are related to each other."""
    answer: Float[Tensor, "clips steps classes"]
    """What the model says: see `PartStreamsConfig.answer`."""
    parts: tuple[Float[Tensor, "clips steps classes"], ...]
    """Of each part alone; none where there is one part, whose head is the early one."""
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
        self.early = nn.Linear(encoder.part_width * len(encoder.parts), num_classes)
        apart = encoder.parts if len(encoder.parts) > 1 else ()
        self.parts = nn.ModuleDict(
            {part: nn.Linear(encoder.part_width, num_classes) for part in apart}
        )
        self.register_buffer("knows_frames", torch.tensor(False))

    knows_frames: Tensor
    """Whether `Heads.frames` was ever trained."""

    def forward(
        self, features: Float[Tensor, "clips frames channels"], mask: Bool[Tensor, "clips frames"]
    ) -> Heads:
        """`mask` is True on real frames."""
        found = self.encoder.steps(features, mask)
        fused, early = self.fused(found.fused), self.early(found.together)
        # The mean of logits is that of log-probabilities, but for a constant of each step.
        answer = fused if self.encoder.config.answer == "fused" else (fused + early) / 2
        return Heads(
            fused,
            early,
            answer,
            tuple(head(found.parts[part]) for part, head in self.parts.items()),
            self.encoder.classifier(found.fused),
            found.mask,
        )
