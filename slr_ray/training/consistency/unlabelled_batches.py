"""Which unlabelled clips, of signs or of sentences, take part in each step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from slr_ray.training.consistency.config import StepsConfig
from slr_ray.training.labels.sampling import epoch_batches, true_labels


class UnlabelledBatches:
    """Draws rows of the unlabelled pool, so many a step for each labelled clip."""

    def __init__(self, settings: StepsConfig, labelled_batch_size: int) -> None:
        self.size = max(1, round(settings.unlabelled_ratio * labelled_batch_size))
        """Rows a step; an epoch's last batch may have fewer."""

    def epoch(
        self,
        lengths: Int[np.ndarray, " pool"],
        num_steps: int,
        rng: np.random.Generator,
        among: Int[np.ndarray, " rows"] | None = None,
    ) -> Iterator[Int[np.ndarray, " batch"]]:
        """Those of an epoch, of the rows `among`, which are all if not given; at least one.

        `lengths` are the frames of each clip of the pool in it.
        """
        rows = np.arange(len(lengths)) if among is None else among
        batches = epoch_batches(
            # Their glosses are not read: the rows are what is drawn.
            true_labels(rows, np.zeros(len(rows), np.int64)),
            lengths[rows],
            batch_size=self.size,
            num_steps=num_steps,
            true_share=None,
            balanced=False,
            rng=rng,
        )
        return (rows[batch] for batch in batches)
