"""What each clip weighs in the loss of a round."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.training.labels.sampling import TrainingSet


def clip_weights(
    training_set: TrainingSet, num_glosses: int, *, by_gloss: bool, true_share: float | None
) -> Float[np.ndarray, " clips"]:
    """Weight of each clip of a round, 1 on average over what batches draw.

    Pseudo-labels have the weights of their selection. `by_gloss` also weighs each gloss by its
    frequency^-0.5 among the round's labels. `true_share` is the share of true labels in batches;
    None = as in the set. The average is the round's and not each batch's: dividing by a batch's own
    weight would cancel the weights in batches of one clip, as the release has them.
    """
    weights = training_set.weights.astype(np.float64)
    if by_gloss:
        known = training_set.glosses != UNLABELLED
        counts = np.bincount(training_set.glosses[known], minlength=num_glosses)
        rarity = 1 / np.sqrt(np.maximum(counts, 1))[training_set.glosses[known]]
        weights[known] *= rarity
        # A clip that only teaches what it is not belongs to no gloss.
        weights[~known] *= rarity.mean()
    pseudo = training_set.is_pseudo
    if true_share is None or not pseudo.any():
        mean = weights.mean()
    else:
        mean = true_share * weights[~pseudo].mean() + (1 - true_share) * weights[pseudo].mean()
    scaled: np.ndarray = (weights / mean).astype(np.float32)
    return scaled
