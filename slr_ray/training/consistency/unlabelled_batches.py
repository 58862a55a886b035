"""Which unlabelled clips, of signs or of sentences, take part in each step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from slr_ray.training.consistency.config import StepsConfig
from slr_ray.training.labels.sampling import epoch_batches, true_labels


class UnlabelledBatches:
    """Draws rows of the unlabelled pool, so many a step for each labelled clip."""

    def __init__(
        self, settings: StepsConfig, clips: Int[np.ndarray, " pool"], labelled_batch_size: int
    ) -> None:
        self.size = max(1, round(settings.unlabelled_ratio * labelled_batch_size))
        """Rows a step; an epoch's last batch may have fewer."""
        # Their glosses are not read: the rows are what is drawn.
        self._rows = true_labels(clips, np.zeros(len(clips), np.int64))

    def epoch(
        self, lengths: Int[np.ndarray, " pool"], num_steps: int, rng: np.random.Generator
    ) -> Iterator[Int[np.ndarray, " batch"]]:
        """Those of an epoch; `lengths` are the frames of each clip in it."""
        return epoch_batches(
            self._rows,
            lengths,
            batch_size=self.size,
            num_steps=num_steps,
            true_share=None,
            balanced=False,
            rng=rng,
        )
