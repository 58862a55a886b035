"""Which clips make up each batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.sentences.steps import Sequences

_BATCHES_A_CHUNK = 16


@dataclass(frozen=True)
class TrainingSet:
    """The clips of one round: true labels and pseudo-labels."""

    clips: Int[np.ndarray, " clips"]
    """Index into the corpus."""
    glosses: Int[np.ndarray, " clips"]
    """`UNLABELLED` where only is known what a clip is not."""
    weights: Float[np.ndarray, " clips"]
    """Weight of the clip in the loss; 1 for true labels."""
    is_pseudo: Bool[np.ndarray, " clips"]
    targets: Float[np.ndarray, "pseudo glosses"] | None = None
    """What the pseudo-labelled clips, the last ones, are trained to: shares of the glosses, and
    below 0 those of the glosses that a clip is not. None = their glosses."""
    sequences: Sequences | None = None
    """Of sentences: what is signed in each, in the place of `glosses`, which are all
    `UNLABELLED`."""
    segments: Sequence[Bool[np.ndarray, " _"]] | None = None
    """Of sentences: which glosses of each are known well enough to be learnt from; None = all."""

    @cached_property
    def has_negatives(self) -> bool:
        """Whether some clip teaches what it is not."""
        return self.targets is not None and bool((self.targets < 0).any())

    def __len__(self) -> int:
        return len(self.clips)


def true_labels(
    clips: Int[np.ndarray, " clips"], glosses: Int[np.ndarray, " clips"]
) -> TrainingSet:
    """A training set of true labels only."""
    ones = np.ones(len(clips), np.float32)
    return TrainingSet(clips, glosses, ones, np.zeros(len(clips), bool))


def true_sentences(clips: Int[np.ndarray, " clips"], sequences: Sequences) -> TrainingSet:
    """A training set of sentences with their true gloss sequences."""
    unlabelled = true_labels(clips, np.full(len(clips), UNLABELLED))
    return replace(unlabelled, sequences=sequences)


def extended(
    labelled: TrainingSet,
    clips: Int[np.ndarray, " added"],
    glosses: Int[np.ndarray, " added"],
    weights: Float[np.ndarray, " added"],
    targets: Float[np.ndarray, "added all_glosses"] | None = None,
) -> TrainingSet:
    """`labelled` with pseudo-labelled clips behind it."""
    return TrainingSet(
        np.concatenate([labelled.clips, clips]),
        np.concatenate([labelled.glosses, glosses]),
        np.concatenate([labelled.weights, weights.astype(np.float32)]),
        np.concatenate([labelled.is_pseudo, np.ones(len(clips), bool)]),
        targets,
    )


def extended_by_sentences(
    labelled: TrainingSet,
    clips: Int[np.ndarray, " added"],
    weights: Float[np.ndarray, " added"],
    sequences: Sequences,
    segments: Sequence[Bool[np.ndarray, " _"]] | None = None,
) -> TrainingSet:
    """Labelled sentences with pseudo-labelled ones behind them."""
    known = labelled.sequences or ()
    both = extended(labelled, clips, np.full(len(clips), UNLABELLED), weights)
    if segments is not None:
        segments = [*(np.ones(len(one), bool) for one in known), *segments]
    return replace(both, sequences=[*known, *sequences], segments=segments)


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
    batches), so that little is padded. Where one pass makes fewer batches, chunks are no longer
    than that: several passes in the order of lengths are batches of a few clips, each many times.

    `num_steps` None is one pass. With `true_share` and pseudo-labels in the set, that share of
    every batch has true labels, which are repeated as often as that takes; where it makes no whole
    number, batches differ by one and the epoch has it. `balanced` draws true labels of all glosses
    equally often.
    """
    pseudo = np.flatnonzero(training_set.is_pseudo)
    true = np.flatnonzero(~training_set.is_pseudo)
    steps = num_steps or -(-len(training_set) // batch_size)
    if true_share is None and not balanced:
        count = num_steps * batch_size if num_steps else len(training_set)
        rows = _repeated(np.arange(len(training_set)), count, rng)
        sizes = _sizes(count, batch_size)
        chunk = _chunk(len(training_set), sizes)
        yield from of_similar_length(rows, lengths, sizes, rng, chunk)
        return
    num_true = np.full(steps, batch_size)
    if len(pseudo):
        share = len(true) / len(training_set) if true_share is None else true_share
        num_true = _spread(share * batch_size, steps)
        if true_share is not None and batch_size > 1:
            # A share that is asked for is met by at least one clip of either kind.
            num_true = num_true.clip(1, batch_size - 1)
    count = int(num_true.sum())
    if balanced:
        true_rows = _balanced(true, training_set.glosses, count, rng)
    else:
        true_rows = _repeated(true, count, rng)
    pseudo_rows = _repeated(pseudo, steps * batch_size - count, rng)
    orders = np.random.default_rng(rng.integers(2**63))
    state = orders.bit_generator.state
    num_pseudo = batch_size - num_true
    chunk = _chunk(len(true), num_true)
    if len(pseudo):
        chunk = min(chunk, _chunk(len(pseudo), num_pseudo))
    streams = []
    for rows, sizes in ((true_rows, num_true), (pseudo_rows, num_pseudo)):
        # The same order of batches in both streams: their k-th batches are of similar length.
        orders.bit_generator.state = state
        streams.append(list(of_similar_length(rows, lengths, sizes, orders, chunk)))
    for parts in zip(*streams, strict=True):
        yield np.concatenate(parts)


def _sizes(count: int, batch_size: int) -> Int[np.ndarray, " batches"]:
    """`count` in whole batches and, at the end, what is left."""
    return np.diff([*range(0, count, batch_size), count])


def _chunk(num_rows: int, sizes: Int[np.ndarray, " batches"]) -> int:
    """Batches that are cut out of the same part of the rows."""
    return int(np.clip(num_rows // max(1.0, sizes.mean()), 1, _BATCHES_A_CHUNK))


def _spread(mean: float, steps: int) -> Int[np.ndarray, " batches"]:
    """Whole numbers with this mean over the steps, each next to it."""
    # Half a unit ahead: a single step rounds instead of cutting off.
    return np.diff(np.floor(np.arange(steps + 1) * mean + 0.5).astype(np.int64))


def _repeated(
    rows: Int[np.ndarray, " rows"], count: int, rng: np.random.Generator
) -> Int[np.ndarray, " drawn"]:
    """`count` rows from as many shuffled passes as needed."""
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
    if count == 0:
        return np.empty(0, np.int64)
    present = np.unique(glosses[rows])
    passes = -(-count // len(present))
    drawn = np.concatenate([rng.permutation(present) for _ in range(passes)])[:count]
    chosen = np.empty(count, np.int64)
    for gloss in present:
        own = np.flatnonzero(drawn == gloss)
        chosen[own] = _repeated(rows[glosses[rows] == gloss], len(own), rng)
    return chosen


def of_similar_length(
    rows: Int[np.ndarray, " rows"],
    lengths: Int[np.ndarray, " clips"],
    sizes: Int[np.ndarray, " batches"],
    rng: np.random.Generator,
    chunk: int = _BATCHES_A_CHUNK,
) -> Iterator[Int[np.ndarray, " batch"]]:
    """Batches of these sizes out of the rows in their order, near in length (frames).

    As many batches as make a `chunk` are cut out of the same rows, sorted, and shuffled.
    """
    ends = np.cumsum(sizes)
    for first in range(0, len(sizes), chunk):
        own = slice(first, first + chunk)
        part = rows[ends[first] - sizes[first] : ends[own][-1]]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches = np.split(part, np.cumsum(sizes[own])[:-1])
        for index in rng.permutation(len(batches)):
            yield batches[index]
