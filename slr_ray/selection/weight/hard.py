"""A pseudo-label counts as a true one."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from slr_ray.selection.ranked import Ranked
from slr_ray.selection.weight.weighting import Weighting


class Hard(Weighting):
    """Weight 1 (SSLR)."""

    kind: Literal["hard"] = "hard"

    def weigh(
        self, candidates: Ranked, rows: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, " chosen"]:
        return np.ones(len(rows), np.float32)
