"""Where in a sentence the hands do not rest: the first and the last gloss go no further."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from slr_ray.augmentation.boundary_estimate import estimate_batch
from slr_ray.augmentation.config import BoundaryEstimateConfig
from slr_ray.poses.batch import PoseBatch
from slr_ray.poses.sentence import FRAMES_A_STEP

_ESTIMATE = BoundaryEstimateConfig()


def signing_steps(batch: PoseBatch) -> Int64[np.ndarray, "sentences 2"]:
    """The first step in which the hands do not rest or rise, and the one behind the last.

    `batch` is in image fractions. By the same estimate as the ends of a clip of one sign. On the
    embedded sentences it is right to the frame in the median, at either end; where it is not, it
    takes signs for a rise, and the ends are not extended.
    """
    found, num_frames = estimate_batch(batch, _ESTIMATE), batch.num_frames.numpy()
    first = np.round(found.head_fraction * num_frames) // FRAMES_A_STEP
    end = -(np.round((found.tail_fraction - 1) * num_frames) // FRAMES_A_STEP)
    return np.stack([first, end], axis=1).astype(np.int64)
