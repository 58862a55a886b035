"""Row by row over probabilities too large for a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

_BLOCK_NUMBERS = 2**16
"""Numbers of a block. With its temporary arrays it stays in a core's cache: 2^18 took four times as
long."""

Step: TypeAlias = Callable[[np.ndarray, slice], np.ndarray]
"""Maps the probabilities of some rows of the pool; the slice says which rows they are."""


def blocks(num_rows: int, num_columns: int) -> Iterator[slice]:
    """Slices of rows that together are all rows."""
    at_once = max(1, _BLOCK_NUMBERS // num_columns)
    for start in range(0, num_rows, at_once):
        yield slice(start, start + at_once)


def apply_step(probabilities: Float[np.ndarray, "clips glosses"], step: Step) -> None:
    """Map every row, in place."""
    for rows in blocks(*probabilities.shape):
        probabilities[rows] = step(probabilities[rows], rows)


def normalised(block: Float[np.ndarray, "rows glosses"]) -> Float[np.ndarray, "rows glosses"]:
    """Rows divided by their sums."""
    done: np.ndarray = block / block.sum(axis=1, keepdims=True)
    return done


def sharpened(
    block: Float[np.ndarray, "rows glosses"], power: float
) -> Float[np.ndarray, "rows glosses"]:
    """Rows to the power of 1/T, normalised: softmax(logits / T). Zeros stay zeros."""
    # By exp and log: numpy's power takes ten times as long.
    with np.errstate(divide="ignore"):
        logs = np.log(block)
    logs -= logs.max(axis=1, keepdims=True)
    logs *= power
    return normalised(np.exp(logs, out=logs))


def pool_mean(
    probabilities: Float[np.ndarray, "clips glosses"],
) -> Float[np.ndarray, " glosses"]:
    """The mean over the clips; equal frequencies where there is no clip."""
    if not len(probabilities):
        return np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    total = np.zeros(probabilities.shape[1])
    for rows in blocks(*probabilities.shape):
        total += probabilities[rows].sum(axis=0, dtype=np.float32)
    return total / len(probabilities)
