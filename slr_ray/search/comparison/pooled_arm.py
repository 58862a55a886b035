"""What an arm's folds have in common as one record, whatever they recognise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64

from slr_ray.records.runs import ArmRecord


def pooled_confusion(folds: Sequence[ArmRecord]) -> Int64[np.ndarray, "glosses glosses"]:
    """Of all folds' test clips together."""
    summed: np.ndarray = np.sum([np.array(one.confusion, np.int64) for one in folds], axis=0)
    return summed


def pooled_arm(folds: Sequence[ArmRecord], **figures: Any) -> ArmRecord:
    """One record of one arm's folds on one seed, with `figures` of what it recognises.

    Steps and training time are the mean of a fold. Rounds and epochs stay with the folds.
    """
    return ArmRecord(
        arm=folds[0].arm,
        seed=folds[0].seed,
        num_steps=round(np.mean([one.num_steps for one in folds])),
        training_s=float(np.mean([one.training_s for one in folds])),
        confusion=pooled_confusion(folds).tolist(),
        trained=None,
        **figures,
    )
