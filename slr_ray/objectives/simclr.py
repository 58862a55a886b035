"""SimCLR (Chen et al. 2020a): each view must find its other view among all of the batch."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.gathering import gathered, own_rank
from slr_ray.models.heads import perceptron
from slr_ray.objectives.objective import Objective, Outcome, View


class SimclrConfig(Config):
    """Heads and loss of the paper (sections 2.1 and 4.2), sizes and temperature of SSL-SLR's."""

    title: ClassVar[str] = "SimCLR"

    kind: Literal["simclr"] = "simclr"
    projector_hidden: int = Field(512, ge=1)
    embedding_width: int = Field(128, ge=1)
    temperature: float = Field(0.5, gt=0)
    batch_norm: bool = True
    """Batch norm in the projector, as in the authors' code."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch."""
        return True

    def build(self, encoder: nn.Module, width: int) -> Simclr:
        """The objective around an encoder whose representations have `width` numbers.

        Fresh heads are drawn from torch's global generator.
        """
        return Simclr(self, encoder, width)


class Simclr(Objective):
    """NT-Xent. The negatives of a view are both views of all other clips of the global batch.

    With gradient accumulation they are those of its micro-batch only: fewer negatives.
    """

    def __init__(self, config: SimclrConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        self.temperature = config.temperature
        self.projector = perceptron(
            (width, config.projector_hidden, config.embedding_width), batch_norm=config.batch_norm
        )

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        # Both views in one batch norm, as in the authors' code.
        embedded = self.projector(torch.cat(self.represented(view1, view2))).float()
        z1, z2 = embedded.chunk(2)
        return nt_xent(z1, z2, self.temperature), z1


def nt_xent(
    z1: Float[Tensor, "clips dim"], z2: Float[Tensor, "clips dim"], temperature: float
) -> Float[Tensor, ""]:
    """Equation 1 of the paper, mean over this worker's 2 x clips views."""
    first, second = (functional.normalize(one, dim=-1) for one in (z1, z2))
    candidates = torch.cat([gathered(first), gathered(second)])
    clips, total = len(first), len(candidates) // 2
    rows = torch.arange(clips, device=first.device) + own_rank() * clips
    losses = []
    for own, positive, itself in ((first, rows + total, rows), (second, rows, rows + total)):
        scores = own @ candidates.T / temperature
        scores = scores.scatter(1, itself[:, None], -torch.inf)
        losses.append(functional.cross_entropy(scores, positive))
    return (losses[0] + losses[1]) / 2
