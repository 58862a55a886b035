"""Prefix beam search for CTC: gloss sequences by the sum over their paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, UInt64

from slr_ray.sentences.decoding import Hypothesis
from slr_ray.sentences.lattice import forced_alignment
from slr_ray.sentences.steps import BLANK

_BLOCK_SENTENCES = 64
"""Searched together: one at a time takes seven times as long."""
_MULTIPLIER, _OFFSET = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


def beam_search(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    beam: int,
    num_best: int = 1,
) -> list[list[Hypothesis]]:
    """The `num_best` most probable gloss sequences of each sentence that a beam finds, best first.

    Graves and Jaitly 2014, algorithm 1, without a language model: after each step the `beam`
    prefixes of the highest probability stay, whether they end in a blank or in their last gloss;
    equal ones are one prefix. No class is left out, so that a beam as wide as there are prefixes
    gives the exact answer. Fewer than `num_best` are found where no more are possible, or where
    the beam is narrower. Spikes are those of each sequence's best path.
    """
    found: list[list[Hypothesis]] = []
    for start in range(0, len(log_probs), _BLOCK_SENTENCES):
        rows = slice(start, start + _BLOCK_SENTENCES)
        longest = int(num_steps[rows].max())
        found += _search(log_probs[rows, :longest], num_steps[rows], beam, num_best)
    return found


@dataclass
class _Beam:
    """The prefixes of each sentence; a place that is not used has probability 0."""

    blank: Float64[np.ndarray, "sentences beam"]
    """Log probability of the paths that end in a blank."""
    gloss: Float64[np.ndarray, "sentences beam"]
    """Of those that end in the prefix's last gloss."""
    last: Int64[np.ndarray, "sentences beam"]
    """Class of the last gloss; `BLANK` of the empty prefix."""
    name: UInt64[np.ndarray, "sentences beam"]
    """Hash of the prefix: two of the same name are the same prefix."""
    parent: UInt64[np.ndarray, "sentences beam"]
    """Name of the prefix without its last gloss."""

    @property
    def total(self) -> Float64[np.ndarray, "sentences beam"]:
        either: np.ndarray = np.logaddexp(self.blank, self.gloss)
        return either


def _search(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    beam: int,
    num_best: int,
) -> list[list[Hypothesis]]:
    num_sentences, longest, num_classes = log_probs.shape
    log_p = log_probs.astype(np.float64)
    # A certain blank changes nothing: so all sentences can take all steps.
    padding = np.arange(longest) >= num_steps[:, None]
    log_p[padding] = -np.inf
    log_p[padding, BLANK] = 0.0
    # Each class gives a prefix that is at least as probable as those of the classes behind it, but
    # for the repeated one: what comes behind `beam + 1` of them can't stay.
    num_tried = min(beam + 1, num_classes - 1)
    first = np.argpartition(-log_p[:, :, BLANK + 1 :], num_tried - 1, axis=2)[..., :num_tried]
    tried = np.sort(first, axis=2) + 1
    size = (num_sentences, beam)
    now = _Beam(
        np.full(size, -np.inf),
        np.full(size, -np.inf),
        np.full(size, BLANK),
        np.zeros(size, np.uint64),
        np.zeros(size, np.uint64),
    )
    now.blank[:, 0] = 0.0
    sources, added = np.empty((2, longest, *size), np.int64)
    for step in range(longest):
        sources[step], added[step] = _take_step(now, log_p[:, step], tried[:, step])
    totals = now.total
    order = np.argsort(-totals, axis=1, kind="stable")[:, :num_best]
    kept = np.isfinite(np.take_along_axis(totals, order, axis=1))
    sentence, place = np.nonzero(kept)
    slot = order[sentence, place]
    sequences = _read_back(sources, added, sentence, slot)
    aligned = forced_alignment(log_probs[sentence], num_steps[sentence], sequences)
    found: list[list[Hypothesis]] = [[] for _ in range(num_sentences)]
    for row, spikes, total in zip(
        sentence.tolist(), aligned.spikes, totals[sentence, slot].tolist(), strict=True
    ):
        found[row].append(Hypothesis(spikes.glosses, spikes.steps, total))
    return found


def _take_step(
    now: _Beam,
    log_p: Float64[np.ndarray, "sentences classes"],
    tried: Int64[np.ndarray, "sentences tried"],
) -> tuple[Int64[np.ndarray, "sentences beam"], Int64[np.ndarray, "sentences beam"]]:
    """Each prefix as it is and with each tried class behind it; `now` becomes the best of them.

    Returns the places that these come from and the classes that they gained, or `BLANK`.
    """
    num_sentences, beam = now.last.shape
    rows = np.arange(num_sentences)[:, None]
    total = now.total
    stay_blank = total + log_p[:, BLANK, None]
    of_last = log_p[rows, now.last]
    stay_gloss = now.gloss + of_last
    # The same gloss again is a new one only behind a blank.
    repeats = now.last[:, :, None] == tried[:, None]
    longer = np.where(repeats, now.blank[:, :, None], total[:, :, None])
    longer = longer + log_p[rows, tried][:, None]
    # A prefix that is there may also be reached from its own parent.
    is_child = now.name[:, :, None] == now.parent[:, None]
    is_child &= (total > -np.inf)[:, :, None] & ((total > -np.inf) & (now.last != BLANK))[:, None]
    sentence, parent, child = np.nonzero(is_child)
    gloss = now.last[sentence, child]
    is_repeat = now.last[sentence, parent] == gloss
    reached = np.where(is_repeat, now.blank[sentence, parent], total[sentence, parent])
    stay_gloss[sentence, child] = np.logaddexp(
        stay_gloss[sentence, child], reached + of_last[sentence, child]
    )
    pair, place = np.nonzero(tried[sentence] == gloss[:, None])
    longer[sentence[pair], parent[pair], place] = -np.inf
    scores = np.concatenate(
        [np.logaddexp(stay_blank, stay_gloss), longer.reshape(num_sentences, -1)], axis=1
    )
    best = np.argsort(-scores, axis=1, kind="stable")[:, :beam]
    stays = best < beam
    num_tried = tried.shape[1]
    source = np.where(stays, best, (best - beam) // max(num_tried, 1))
    grown: Bool[np.ndarray, "sentences beam"] = ~stays
    gained = np.full(best.shape, BLANK)
    gained[grown] = tried[np.nonzero(grown)[0], (best[grown] - beam) % max(num_tried, 1)]
    now.blank = np.where(stays, stay_blank[rows, source], -np.inf)
    now.gloss = np.where(stays, stay_gloss[rows, source], scores[rows, best])
    name = now.name[rows, source]
    now.parent = np.where(stays, now.parent[rows, source], name)
    now.name = np.where(stays, name, (name + gained.astype(np.uint64)) * _MULTIPLIER + _OFFSET)
    now.last = np.where(stays, now.last[rows, source], gained)
    return source, gained


def _read_back(
    sources: Int64[np.ndarray, "steps sentences beam"],
    added: Int64[np.ndarray, "steps sentences beam"],
    sentence: Int64[np.ndarray, " found"],
    slot: Int64[np.ndarray, " found"],
) -> list[Int64[np.ndarray, " _"]]:
    """The glosses of the prefixes at some places after the last step."""
    classes = np.full((len(slot), len(sources)), BLANK)
    for step in range(len(sources) - 1, -1, -1):
        classes[:, step] = added[step, sentence, slot]
        slot = sources[step, sentence, slot]
    return [row[row != BLANK] - 1 for row in classes]
