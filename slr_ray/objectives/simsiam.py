"""SimSiam (Chen and He 2021): a predictor and a stop-gradient, nothing else."""

from __future__ import annotations

from typing import ClassVar, Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.heads import perceptron
from slr_ray.objectives.objective import Objective, Outcome, View


class SimsiamConfig(Config):
    """Heads and loss of the paper (section 3); SSL-SLR's sizes."""

    title: ClassVar[str] = "SimSiam"

    kind: Literal["simsiam"] = "simsiam"
    projector_hidden: int = Field(512, ge=1)
    projector_layers: Literal[2, 3] = 3
    """3 in SimSiam; SSL-SLR (section 6.2) says 2 for all its models."""
    embedding_width: int = Field(128, ge=1)
    predictor_hidden: int = Field(32, ge=1)
    """A bottleneck of a quarter of the embedding's width, as in the paper (512 of 2048)."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch: by batch norm."""
        return True

    def build(self, encoder: nn.Module, width: int) -> Simsiam:
        """The objective around an encoder whose representations have `width` numbers.

        Fresh heads are drawn from torch's global generator.
        """
        return Simsiam(self, encoder, width)


class Simsiam(Objective):
    """Negative cosine of each view's prediction with the other view's embedding, symmetric.

    Batch norm in the heads is over one view of the global batch, as in the paper; with gradient
    accumulation over one view of a micro-batch.
    """

    def __init__(self, config: SimsiamConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        dim = config.embedding_width
        hidden = (config.projector_hidden,) * (config.projector_layers - 1)
        self.projector = perceptron((width, *hidden, dim), batch_norm=True, last_norm=True)
        self.predictor = perceptron((dim, config.predictor_hidden, dim), batch_norm=True)

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        z1, z2 = (self.projector(one).float() for one in self.represented(view1, view2))
        p1, p2 = (self.predictor(one).float() for one in (z1, z2))
        loss = (negative_cosine(p1, z2.detach()) + negative_cosine(p2, z1.detach())) / 2
        return loss, z1


def negative_cosine(
    prediction: Float[Tensor, "clips dim"], target: Float[Tensor, "clips dim"]
) -> Float[Tensor, ""]:
    """Equation 1 of the paper, mean over the clips."""
    return -functional.cosine_similarity(prediction, target, dim=-1).mean()
