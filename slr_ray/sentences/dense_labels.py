"""Dense pseudo-labels: a gloss for every step, from a sequence without times (DPLR).

Self-Sufficient (arXiv 2303.11771) "refines an initially predicted gloss sequence from the model by
referring a ground-truth gloss, and propagates frame-level gloss supervision", against the spikes of
CTC. Only the beginning of the paper's text was available, and no code: what follows is ours after
its abstract.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from slr_ray.sentences.alignment import Edit, align
from slr_ray.sentences.config import DenseLabelsConfig
from slr_ray.sentences.decoding import Spikes, best_paths
from slr_ray.sentences.lattice import forced_alignment
from slr_ray.sentences.segments import Segments, segments_of
from slr_ray.sentences.steps import NO_GLOSS, Sequences


@dataclass(frozen=True)
class DenseLabels:
    """What the head of steps is trained to."""

    glosses: Int64[np.ndarray, "sentences steps"]
    """`NO_GLOSS` where a step has no label."""
    weights: Float32[np.ndarray, "sentences steps"]
    """Of each step's loss: the confidence of its segment; 0 without a label."""
    segments: list[Segments]


def dense_labels(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    sequences: Sequences,
    config: DenseLabelsConfig,
    signing: Int64[np.ndarray, "sentences 2"] | None = None,
    keep: Sequence[Bool[np.ndarray, " _"]] | None = None,
) -> DenseLabels:
    """The labels of a batch, from the teacher's probabilities and the known sequences.

    `signing`: see `segments_of`. `keep` marks the glosses of each sequence whose segments give
    labels; None = all. A sentence whose steps are too few for its glosses may lose some, or all.
    """
    places = _places(log_probs, num_steps, sequences, config)
    spikes = [
        Spikes(sequence[own >= 0], own[own >= 0])
        for sequence, own in zip(sequences, places, strict=True)
    ]
    segments = segments_of(log_probs, num_steps, spikes, config, signing)
    if keep is not None:
        segments = [
            one.of(chosen[own >= 0])
            for one, chosen, own in zip(segments, keep, places, strict=True)
        ]
    glosses = np.full(log_probs.shape[:2], NO_GLOSS)
    weights = np.zeros(log_probs.shape[:2], np.float32)
    for row, one in enumerate(segments):
        for gloss, (start, end), sure in zip(
            one.glosses, one.bounds.tolist(), one.confidence, strict=True
        ):
            glosses[row, start:end], weights[row, start:end] = gloss, sure
    return DenseLabels(glosses, weights, segments)


def _places(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    sequences: Sequences,
    config: DenseLabelsConfig,
) -> list[Int64[np.ndarray, " _"]]:
    """The spike of every gloss of each sequence; negative for one that has none."""
    places = [np.full(len(one), NO_GLOSS) for one in sequences]
    if config.source == "none":
        return places
    forced = list(range(len(sequences)))
    if config.source == "refined":
        forced = []
        for row, said in enumerate(best_paths(log_probs, num_steps)):
            sequence = sequences[row]
            edits = align(said.glosses, sequence)
            num_errors = sum(not one.is_match for one in edits)
            if num_errors > config.forced_above * len(sequence):
                forced.append(row)
            else:
                own = log_probs[row, : num_steps[row]]
                places[row] = refined(said, sequence, edits, own)
    if forced:
        aligned = forced_alignment(
            log_probs[forced], num_steps[forced], [sequences[row] for row in forced]
        )
        for row, spikes in zip(forced, aligned.spikes, strict=True):
            places[row][: len(spikes.steps)] = spikes.steps
    return places


def refined(
    said: Spikes,
    sequence: Int64[np.ndarray, " glosses"],
    edits: Sequence[Edit],
    log_probs: Float[np.ndarray, "steps classes"],
) -> Int64[np.ndarray, " glosses"]:
    """The spike of every gloss of the true sequence, from those of a hypothesis.

    A match keeps its spike; a substitution gives its spike to the true gloss; an insertion is
    dropped. Glosses that the hypothesis lacks take, in their order, the steps between the spikes
    around them at which they are most probable together. Where they are more than there are steps,
    the last of them get none, a negative number.
    """
    places = np.full(len(sequence), NO_GLOSS)
    for edit in edits:
        if edit.hypothesis is not None and edit.reference is not None:
            places[edit.reference] = said.steps[edit.hypothesis]
    known = [-1, *np.flatnonzero(places >= 0).tolist(), len(sequence)]
    for before, behind in itertools.pairwise(known):
        if behind - before == 1:
            continue
        first = int(places[before]) + 1 if before >= 0 else 0
        end = int(places[behind]) if behind < len(sequence) else len(log_probs)
        missing = slice(before + 1, min(behind, before + 1 + end - first))
        scores = log_probs[first:end, sequence[missing] + 1]
        places[missing] = first + _ascending(scores)
    return places


def _ascending(scores: Float[np.ndarray, "steps glosses"]) -> Int64[np.ndarray, " glosses"]:
    """One step for each gloss, ascending, with the largest sum of scores."""
    num_steps, num_glosses = scores.shape
    best, origin = np.zeros(num_steps + 1), np.zeros((num_glosses, num_steps), np.int64)
    for gloss in range(num_glosses):
        # best[t]: the gloss before stands before step t; the first one has nothing before it.
        total = best[:-1] + scores[:, gloss]
        best = np.concatenate([[-np.inf], np.maximum.accumulate(total)])
        is_higher = total > best[:-1]
        origin[gloss] = np.maximum.accumulate(np.where(is_higher, np.arange(num_steps), 0))
    chosen = np.zeros(num_glosses, np.int64)
    end = num_steps
    for gloss in range(num_glosses - 1, -1, -1):
        end = chosen[gloss] = origin[gloss, end - 1]
    return chosen
