"""Label smoothing undone, so that thresholds mean what they say."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def unsmoothed(
    probabilities: Float[Tensor, "clips glosses"], smoothing: float
) -> Float[Tensor, "clips glosses"]:
    """The probabilities that a model trained with label smoothing would have without it.

    With smoothing e over K glosses the loss is least at (1 - e) p + e / K where p is the truth: no
    clip gets above 1 - e + e / K, 0.908 for 0.1 and 12 glosses, and a threshold of 0.95 selects
    nothing. Solved for p: clip((q - e / K) / (1 - e), 0), summing to 1. The order of a clip's
    glosses stays, but for those below e / K, which become equal.
    """
    if not smoothing:
        return probabilities
    floor = smoothing / probabilities.shape[1]
    found = ((probabilities - floor) / (1 - smoothing)).clamp(min=0)
    return found / found.sum(dim=1, keepdim=True)
