"""What every weighting is."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from slr_ray.config import Config
from slr_ray.selection.ranked import Ranked


class Weighting(Config):
    """How much the loss of a pseudo-labelled clip counts beside a true label's 1."""

    is_soft: ClassVar[bool] = False
    """Whether clips are trained to their whole distribution instead of one gloss."""

    @abstractmethod
    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        """Weights between 0 and 1 of the selected rows."""
