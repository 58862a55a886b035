"""Which clips make up each batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

_BUCKET_BATCHES = 16


@dataclass(frozen=True)
class TrainingSet:
    """The clips of one round: true labels and pseudo-labels."""

    clips: Int[np.ndarray, " clips"]
    """Index into the corpus."""
    glosses: Int[np.ndarray, " clips"]
    weights: Float[np.ndarray, " clips"]
    """Weight of the clip in the loss; 1 for true labels."""
    is_pseudo: Bool[np.ndarray, " clips"]

    def __len__(self) -> int:
        return len(self.clips)


def true_labels(
    clips: Int[np.ndarray, " clips"], glosses: Int[np.ndarray, " clips"]
) -> TrainingSet:
    """A training set of true labels only."""
    ones = np.ones(len(clips), np.float32)
    return TrainingSet(clips, glosses, ones, np.zeros(len(clips), bool))


def extended(
    labelled: TrainingSet,
    clips: Int[np.ndarray, " added"],
    glosses: Int[np.ndarray, " added"],
    weights: Float[np.ndarray, " added"],
) -> TrainingSet:
    """`labelled` with pseudo-labelled clips behind it."""
    return TrainingSet(
        np.concatenate([labelled.clips, clips]),
        np.concatenate([labelled.glosses, glosses]),
        np.concatenate([labelled.weights, weights.astype(np.float32)]),
        np.concatenate([labelled.is_pseudo, np.ones(len(clips), bool)]),
    )


def epoch_batches(
    training_set: TrainingSet,
    lengths: Int[np.ndarray, " clips"],
    *,
    batch_size: int,
    num_steps: int | None,
    true_share: float | None,
    balanced: bool,
    rng: np.random.Generator,
) -> Iterator[Int[np.ndarray, " batch"]]:
    """Rows of the training set, batch by batch, for one epoch.

    `lengths` are the frames of each row: clips of similar length share a batch (within chunks of 16
    batches), so that little is padded. `num_steps` None is one pass. With `true_share` and
    pseudo-labels in the set, that share of every batch has true labels, which are repeated as often
    as that takes. `balanced` draws true labels of all glosses equally often.
    """
    pseudo = np.flatnonzero(training_set.is_pseudo)
    true = np.flatnonzero(~training_set.is_pseudo)
    num_true = batch_size
    if len(pseudo):
        share = len(true) / len(training_set) if true_share is None else true_share
        num_true = round(batch_size * share)
        if true_share is not None and batch_size > 1:
            # A share that is asked for is met by at least one clip of either kind.
            num_true = min(max(num_true, 1), batch_size - 1)
    steps = num_steps or -(-len(training_set) // batch_size)
    if true_share is None and not balanced:
        rows = _repeated(np.arange(len(training_set)), num_steps and num_steps * batch_size, rng)
        yield from _bucketed(rows, lengths, batch_size, rng)
        return
    if balanced:
        true_rows = _balanced(true, training_set.glosses, steps * num_true, rng)
    else:
        true_rows = _repeated(true, steps * num_true, rng)
    pseudo_rows = _repeated(pseudo, steps * (batch_size - num_true), rng)
    orders = np.random.default_rng(rng.integers(2**63))
    state = orders.bit_generator.state
    streams = []
    for rows, size in ((true_rows, num_true), (pseudo_rows, batch_size - num_true)):
        if size:
            # The same order of batches in both streams: their k-th batches are of similar length.
            orders.bit_generator.state = state
            streams.append(_bucketed(rows, lengths, size, orders))
    for parts in zip(*streams, strict=True):
        yield np.concatenate(parts)


def _repeated(
    rows: Int[np.ndarray, " rows"], count: int | None, rng: np.random.Generator
) -> Int[np.ndarray, " drawn"]:
    """`count` rows from as many shuffled passes as needed; one pass where `count` is None."""
    if count is None:
        return rng.permutation(rows)
    if len(rows) == 0 or count == 0:
        return np.empty(0, np.int64)
    passes = -(-count // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(passes)])[:count]


def _balanced(
    rows: Int[np.ndarray, " rows"],
    glosses: Int[np.ndarray, " clips"],
    count: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " drawn"]:
    present = np.unique(glosses[rows])
    passes = -(-count // len(present))
    drawn = np.concatenate([rng.permutation(present) for _ in range(passes)])[:count]
    chosen = np.empty(count, np.int64)
    for gloss in present:
        own = np.flatnonzero(drawn == gloss)
        chosen[own] = _repeated(rows[glosses[rows] == gloss], len(own), rng)
    return chosen


def _bucketed(
    rows: Int[np.ndarray, " rows"],
    lengths: Int[np.ndarray, " clips"],
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[Int[np.ndarray, " batch"]]:
    chunk = _BUCKET_BATCHES * batch_size
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        part = part[np.argsort(lengths[part], kind="stable")]
        starts = np.arange(0, len(part), batch_size)
        for first in rng.permutation(starts):
            yield part[first : first + batch_size]
