"""All paths of a known sequence: how probable they are together, and the best one.

A sequence g_1 ... g_n has 2 n + 1 states: blank, g_1, blank, ..., g_n, blank. A path stays in its
state, goes to the next one, or skips a blank between two different glosses (Graves et al. 2006,
section 4.1). All sentences of a batch take each step together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from slr_ray.sentences.decoding import Spikes, spikes_of
from slr_ray.sentences.steps import BLANK, NO_GLOSS, Sequences


@dataclass(frozen=True)
class _Lattice:
    scores: Float64[np.ndarray, "steps sentences states"]
    """Log probability of each state's class; -inf in states that a sentence does not have."""
    skips: Float64[np.ndarray, "sentences states"]
    """0 in states that can be reached from two before, else -inf."""
    last: Int64[np.ndarray, " sentences"]
    """The last state of each sentence."""
    num_steps: Int64[np.ndarray, " sentences"]

    @classmethod
    def of(
        cls,
        log_probs: Float[np.ndarray, "sentences steps classes"],
        num_steps: Int64[np.ndarray, " sentences"],
        sequences: Sequences,
    ) -> _Lattice:
        last = 2 * np.array([len(one) for one in sequences], np.int64)
        classes = np.full((len(sequences), int(last.max(initial=0)) + 1), BLANK)
        for row, sequence in zip(classes, sequences, strict=True):
            row[1 : 2 * len(sequence) : 2] = sequence + 1
        scores = np.take_along_axis(log_probs, classes[:, None], axis=2).astype(np.float64)
        has = np.arange(classes.shape[1]) <= last[:, None]
        scores = np.where(has[:, None], scores, -np.inf).transpose(1, 0, 2)
        skips = np.full(classes.shape, -np.inf)
        skips[:, 2:][(classes[:, 2:] != BLANK) & (classes[:, 2:] != classes[:, :-2])] = 0.0
        return cls(np.ascontiguousarray(scores), skips, last, num_steps)

    def start(self) -> Float64[np.ndarray, "sentences padded_states"]:
        """Scores of the first step behind two states that no path has."""
        num_sentences, num_states = self.skips.shape
        scores = np.full((num_sentences, num_states + 2), -np.inf)
        scores[:, 2:4] = self.scores[0, :, :2]
        return scores

    def final(
        self, scores: Float64[np.ndarray, "sentences padded_states"]
    ) -> Float64[np.ndarray, "sentences 2"]:
        """Scores of the last state and of the one before, in which a path may end, too."""
        rows = np.arange(len(scores))
        return np.stack([scores[rows, self.last + 2], scores[rows, self.last + 1]], axis=1)


def log_likelihoods(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    sequences: Sequences,
) -> Float64[np.ndarray, " sentences"]:
    """log P(sequence | clip), CTC's sum over all paths; -inf where the steps are too few."""
    lattice = _Lattice.of(log_probs, num_steps, sequences)
    scores = lattice.start()
    for step in range(1, log_probs.shape[1]):
        reached = np.logaddexp(scores[:, 2:], scores[:, 1:-1])
        reached = np.logaddexp(reached, scores[:, :-2] + lattice.skips) + lattice.scores[step]
        scores[:, 2:] = np.where((step < num_steps)[:, None], reached, scores[:, 2:])
    either = lattice.final(scores)
    total: np.ndarray = np.logaddexp(either[:, 0], either[:, 1])
    return total


@dataclass(frozen=True)
class ForcedAlignment:
    """The most probable path of each known sequence."""

    owner: Int64[np.ndarray, "sentences steps"]
    """Place in the sequence of the gloss that a step belongs to; `NO_GLOSS` in blanks, in padding
    and everywhere where the steps are too few."""
    spikes: list[Spikes]
    """Of every gloss; none where the steps are too few."""
    log_probability: Float64[np.ndarray, " sentences"]
    """Of the path; -inf where the steps are too few."""


def forced_alignment(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    sequences: Sequences,
) -> ForcedAlignment:
    """The best path through each sentence's states (Viterbi).

    Of equally probable ways to a state it takes the one that stays longest in it.
    """
    lattice = _Lattice.of(log_probs, num_steps, sequences)
    scores, rows = lattice.start(), np.arange(len(sequences))
    moves = np.zeros(lattice.scores.shape, np.int8)
    for step in range(1, log_probs.shape[1]):
        ways = np.stack([scores[:, 2:], scores[:, 1:-1], scores[:, :-2] + lattice.skips])
        moves[step] = ways.argmax(axis=0)
        reached = ways.max(axis=0) + lattice.scores[step]
        scores[:, 2:] = np.where((step < num_steps)[:, None], reached, scores[:, 2:])
    either = lattice.final(scores)
    state = lattice.last - either.argmax(axis=1)
    states = np.full(log_probs.shape[:2], BLANK)
    for step in range(log_probs.shape[1] - 1, -1, -1):
        real = step < num_steps
        states[:, step] = np.where(real, state, BLANK)
        state = np.where(real, state - moves[step, rows, state], state)
    best = either.max(axis=1)
    is_gloss: Bool[np.ndarray, "sentences steps"] = (states % 2 == 1) & np.isfinite(best)[:, None]
    own = np.take_along_axis(lattice.scores.transpose(1, 0, 2), states[..., None], axis=2)[..., 0]
    owner = np.where(is_gloss, states // 2, NO_GLOSS)
    spikes = [
        Spikes(sequence[owner[row, steps]], steps)
        for row, (sequence, steps) in enumerate(zip(sequences, spikes_of(owner, own), strict=True))
    ]
    return ForcedAlignment(owner, spikes, best)
