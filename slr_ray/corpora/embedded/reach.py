"""How arms move where nothing says how: along reaches of minimum jerk (Flash and Hogan 1985)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def minimum_jerk(x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Position along a reach, from 0 to 1; `x` is the time along it, from 0 to 1."""
    return np.asarray(x**3 * (10 - 15 * x + 6 * x**2))


def along_reaches(
    known: Int[np.ndarray, " known"], values: Float[np.ndarray, "known width"], num_frames: int
) -> Float[np.ndarray, "frames width"]:
    """Values of all frames: reaches between the `known` ones (ascending), still at both ends."""
    frames = np.arange(num_frames)
    following = np.searchsorted(known, frames).clip(max=len(known) - 1)
    before = np.searchsorted(known, frames, side="right").clip(min=1) - 1
    start, end = known[before], known[following]
    share = minimum_jerk(((frames - start) / np.maximum(end - start, 1)).clip(0.0, 1.0))
    return np.asarray(values[before] + share[:, None] * (values[following] - values[before]))
