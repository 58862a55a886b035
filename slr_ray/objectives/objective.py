"""What the pre-training loop asks of an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

View = tuple[Float[Tensor, "clips frames channels"], Bool[Tensor, "clips frames"]]
"""Features of a batch of clips, augmented or not, and the mask of their real frames."""

Outcome = tuple[Float[Tensor, ""], Float[Tensor, "clips dim"]]
"""The loss, and the embedding (not normalised) that the collapse monitor looks at."""


class Objective(nn.Module, ABC):
    """A loss that owns the encoder, its heads and what else it learns with.

    Its parameters that require gradients are what the optimiser moves. With several workers every
    worker calls it with as many clips, and the mean of their losses is the loss of all clips.
    """

    uses_anchor: bool = False
    """Whether the original clip is an input; the loop leaves it out otherwise."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    @abstractmethod
    def forward(self, anchor: View | None, view1: View, view2: View) -> Outcome:
        """The mean loss over the clips; row i of each input comes from the same clip."""

    def after_step(self, progress: float) -> None:  # most have nothing to do
        """Called after each optimiser step; `progress` is the share of steps done, 0 to 1."""

    def represented(self, *views: View) -> tuple[Float[Tensor, "clips width"], ...]:
        """Representations of several views through one forward pass of the encoder.

        The same as one pass a view, for no part of an encoder mixes clips: its norms are layer
        norms. Heads with batch norm do mix them and are applied view by view.
        """
        features = torch.cat([view[0] for view in views])
        mask = torch.cat([view[1] for view in views])
        parts: tuple[Tensor, ...] = self.encoder(features, mask).chunk(len(views))
        return parts
