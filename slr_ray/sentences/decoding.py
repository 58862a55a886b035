"""From the probabilities of classes at each step to a gloss sequence: the best path.

Prefix beam search is in `beam_search.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from slr_ray.sentences.steps import BLANK, NO_GLOSS


@dataclass(frozen=True)
class Spikes:
    """The steps at which glosses show most."""

    glosses: Int64[np.ndarray, " glosses"]
    steps: Int64[np.ndarray, " glosses"]
    """Ascending: of each gloss's run the step at which it is most probable, the first of equals."""


@dataclass(frozen=True)
class Hypothesis(Spikes):
    """A decoded gloss sequence."""

    log_probability: float
    """Of the best path alone, or of all paths that a beam search kept. `log_likelihoods` has the
    whole sum."""


def best_paths(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
) -> list[Hypothesis]:
    """The most probable class at each step, repeats merged, blanks dropped.

    Steps from `num_steps` on are padding. Of equally probable classes the first counts.
    """
    real = np.arange(log_probs.shape[1]) < num_steps[:, None]
    path = np.where(real, log_probs.argmax(axis=2), BLANK)
    highest = np.where(real, log_probs.max(axis=2), 0.0)
    before = np.concatenate([np.full((len(path), 1), BLANK), path[:, :-1]], axis=1)
    starts = (path != BLANK) & (path != before)
    run = np.where(path != BLANK, starts.cumsum(axis=1) - 1, NO_GLOSS)
    totals = highest.sum(axis=1, dtype=np.float64)
    return [
        Hypothesis(classes[steps] - 1, steps, float(total))
        for classes, steps, total in zip(path, spikes_of(run, highest), totals, strict=True)
    ]


def spikes_of(
    run: Int64[np.ndarray, "sentences steps"], scores: Float[np.ndarray, "sentences steps"]
) -> list[Int64[np.ndarray, " _"]]:
    """Of each run of each sentence the step of the highest score, the first of equals.

    `run` numbers the runs of a sentence from 0 on; `NO_GLOSS` belongs to none.
    """
    sentence, step = np.nonzero(run != NO_GLOSS)
    number = run[sentence, step]
    order = np.lexsort((step, -scores[sentence, step], number, sentence))
    sentence, number, step = sentence[order], number[order], step[order]
    is_first: np.ndarray = np.ones(len(step), bool)
    is_first[1:] = (np.diff(sentence) != 0) | (np.diff(number) != 0)
    counts = np.bincount(sentence[is_first], minlength=len(run))
    return np.split(step[is_first], counts.cumsum()[:-1])
