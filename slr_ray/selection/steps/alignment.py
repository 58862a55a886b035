"""Distribution alignment: pseudo-labels as frequent as they should be (ReMixMatch, section 3.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from slr_ray.selection.steps.slow_mean import SlowMean

_SMALLEST = 1e-6


def aligned(
    probabilities: Float[Tensor, "clips glosses"],
    wanted: Float[Tensor, " glosses"],
    found: Float[Tensor, " glosses"],
) -> Float[Tensor, "clips glosses"]:
    """`normalise(p * wanted / found)`, clip by clip."""
    scaled = probabilities * (wanted / found.clamp(min=_SMALLEST))
    return scaled / scaled.sum(dim=1, keepdim=True).clamp(min=_SMALLEST)


class Alignment(nn.Module):
    """Towards a distribution over glosses, from the slow mean of what the teacher predicts.

    The mean's decay is USB's; ReMixMatch takes the mean of the last 128 batches.
    """

    wanted: Tensor

    def __init__(
        self, wanted: Float[Tensor, " glosses"], *, decay: float = 0.999, bounded: bool = True
    ) -> None:
        super().__init__()
        self.register_buffer("wanted", wanted)
        even = torch.full_like(wanted, 1 / len(wanted))
        self.found = SlowMean(even, decay, bounded=bounded)

    def forward(
        self, probabilities: Float[Tensor, "clips glosses"]
    ) -> Float[Tensor, "clips glosses"]:
        """The step's probabilities aligned; the step itself counts in the mean."""
        self.found.update(probabilities.mean(dim=0))
        return aligned(probabilities, self.wanted, self.found.value)
