"""What the clips of a batch are trained to, and the loss of it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from slr_ray.training.labels.sampling import TrainingSet

_SMALLEST = 1e-7
"""Of 1 - p in the loss of negative labels, as UPS's release has it."""


def batch_targets(
    training_set: TrainingSet, rows: Int[np.ndarray, " batch"], num_glosses: int
) -> Float[Tensor, "batch columns"]:
    """Shares of the glosses; behind them, where the set has negative labels, those of glosses that
    a clip is not. Both may be blended with other clips' (mixup).
    """
    glosses = torch.from_numpy(training_set.glosses[rows].astype(np.int64))
    targets = functional.one_hot(glosses.clamp(min=0), num_glosses).float()
    own = training_set.targets
    if own is None:
        return targets
    pseudo = training_set.is_pseudo[rows]
    num_true = len(training_set) - len(own)
    targets[pseudo] = torch.from_numpy(own[rows[pseudo] - num_true])
    if not training_set.has_negatives:
        return targets
    return torch.cat([targets.clamp(min=0), (-targets).clamp(min=0)], dim=1)


def target_losses(
    logits: Float[Tensor, "batch glosses"],
    targets: Float[Tensor, "batch columns"],
    label_smoothing: float,
) -> Float[Tensor, " batch"]:
    """Each clip's loss: cross-entropy with its glosses, and -log(1 - p) of those that it is not."""
    num_glosses = logits.shape[1]
    if targets.shape[1] == num_glosses:
        return functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=label_smoothing
        )
    positive, negative = targets[:, :num_glosses], targets[:, num_glosses:]
    # A clip without positive labels has nothing to smooth.
    even = positive.sum(dim=1, keepdim=True) / num_glosses
    smoothed = (1 - label_smoothing) * positive + label_smoothing * even
    logs = logits.log_softmax(dim=1)
    others = (1 - logs.exp()).clamp(min=_SMALLEST).log()
    losses: Tensor = -(smoothed * logs).sum(dim=1) - (negative * others).sum(dim=1)
    return losses
