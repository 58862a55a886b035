"""What every model is: an encoder of clips with a classifier on its representations."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Bool, Float
from torch import Tensor, nn


class Model(nn.Module, ABC):
    """Padded clips → representation → glosses."""

    classifier: nn.Module

    @abstractmethod
    def represent(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips width"]:
        """The representation that the classifier sees. `mask` is True on real frames."""

    def forward(
        self,
        features: Float[Tensor, "clips frames channels"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips glosses"]:
        """Logits. `mask` is True on real frames."""
        logits: Tensor = self.classifier(self.represent(features, mask))
        return logits
