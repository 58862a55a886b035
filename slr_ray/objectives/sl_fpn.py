"""SL-FPN (SSL-SLR, arXiv 2509.05188, section 5.1): two views and the original, no negatives."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.config import Config
from slr_ray.models.heads import perceptron, redraw
from slr_ray.objectives.objective import Objective, Outcome, View

_MOST = 2**31


class SlFpnConfig(Config):
    """Defaults as published; the switches are the ablation of the paper's section 7.

    The first author's code (`arielbassodev/sign_language_recognition`, commit cc36e6d,
    `reconstitution.py`) is `second_view: view2`, `prediction_weight: 0.5`, `predictor: fresh`. Its
    second variant, on views whose last third is permuted, has `original_weight: 0` and
    `prediction_weight: 0.0022`.
    """

    title: ClassVar[str] = "SL-FPN"

    kind: Literal["sl_fpn"] = "sl_fpn"
    projector_hidden: int = Field(512, ge=1)
    embedding_width: int = Field(128, ge=1)
    """The projector has 2 layers, 512 → 128 as published."""
    predictor_hidden: int = Field(128, ge=1)
    """The predictor has 2 layers with ReLU; the paper does not state its width."""
    second_view: Literal["view1", "view2"] = "view1"
    """The view that the second term pulls the original to. The formula in the text lost its
    symbols; the first author's image code has the first view, his pose code the second."""
    original_weight: float = Field(1.0, ge=0)
    """Weight of the second term, MSE(original, view), beside the first one's 1."""
    prediction_weight: float = Field(1.0, ge=0)
    """Weight of the third term, the predictor's."""
    predictor: bool | Literal["fresh"] = True
    """`false`: the third term is MSE(z0, z2) without predictor and without stop-gradient. `fresh`:
    the predictor is drawn anew for every step and learns nothing, as in the author's code."""
    original: bool = True
    """Without it the first view stands in for the original and the second term is gone."""
    batch_norm: Literal["none", "hidden", "all"] = "none"
    """Batch norm in the projector: after its first layer, as in BYOL's, or after both, as in
    SimSiam's, so that the embedding of a batch can't shrink to a point. Not in the paper's text;
    ours against collapse. With gradient accumulation it is over a micro-batch."""
    permuted: bool = False
    """The original and the first view exchange their places in the loss."""

    @property
    def mixes_clips(self) -> bool:
        """Whether a clip's loss depends on the others of its batch."""
        return self.batch_norm != "none"

    def build(self, encoder: nn.Module, width: int) -> SlFpn:
        """The objective around an encoder whose representations have `width` numbers.

        Fresh heads are drawn from torch's global generator.
        """
        return SlFpn(self, encoder, width)


class SlFpn(Objective):
    """MSE(z1, z2) + MSE(z0, z1) + MSE(predictor(z0), stop-gradient(z2)); no L2 normalisation.

    A constant embedding minimises all three terms, and the first two have no stop-gradient: with an
    optimiser that moves far, the embedding shrinks to a point unless `batch_norm` keeps it apart.
    """

    next_draw: Tensor

    def __init__(self, config: SlFpnConfig, encoder: nn.Module, width: int) -> None:
        super().__init__(encoder)
        self.config = config
        self.uses_anchor = config.original
        dim = config.embedding_width
        self.projector = perceptron(
            (width, config.projector_hidden, dim),
            batch_norm=config.batch_norm != "none",
            last_norm=config.batch_norm == "all",
        )
        self.predictor = (
            perceptron((dim, config.predictor_hidden, dim)) if config.predictor else None
        )
        if self.predictor is not None and config.predictor == "fresh":
            self.predictor.requires_grad_(False)
            # Where its next weights come from: a state of its own, so that all workers draw the
            # same ones and a resumed training goes on with them.
            self.register_buffer("next_draw", torch.randint(_MOST, ()))

    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        if not self.config.original:
            z1, z2 = self._embedded(view1, view2)
            return functional.mse_loss(z1, z2) + self._prediction(z1, z2), z1
        if anchor is None:
            raise ValueError("SL-FPN needs the original clips")
        z0, z1, z2 = self._embedded(anchor, view1, view2)
        embedding = z0
        if self.config.permuted:
            z0, z1 = z1, z0
        second = z1 if self.config.second_view == "view1" else z2
        original = self.config.original_weight * functional.mse_loss(z0, second)
        return functional.mse_loss(z1, z2) + original + self._prediction(z0, z2), embedding

    def after_step(self, progress: float) -> None:
        if self.predictor is not None and self.config.predictor == "fresh":
            redraw(self.predictor, torch.Generator().manual_seed(int(self.next_draw)))
            self.next_draw += 1

    def _embedded(self, *views: View) -> list[Float[Tensor, "clips dim"]]:
        return [self.projector(one).float() for one in self.represented(*views)]

    def _prediction(
        self, source: Float[Tensor, "clips dim"], target: Float[Tensor, "clips dim"]
    ) -> Float[Tensor, ""]:
        """The weighted third term."""
        if self.predictor is not None:
            source, target = self.predictor(source).float(), target.detach()
        return self.config.prediction_weight * functional.mse_loss(source, target)
