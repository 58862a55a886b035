"""From spikes to segments: where each gloss begins and ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.special import logsumexp

from slr_ray.sentences.config import DenseLabelsConfig
from slr_ray.sentences.decoding import Spikes
from slr_ray.sentences.steps import BLANK


@dataclass(frozen=True)
class Segments:
    """The glosses of a sentence in time."""

    glosses: Int64[np.ndarray, " glosses"]
    bounds: Int64[np.ndarray, "glosses 2"]
    """First step and the one behind the last. No two overlap; neighbours touch."""
    confidence: Float64[np.ndarray, " glosses"]
    """Probability of the gloss at its spike, were there no blank."""

    def of(self, chosen: Bool[np.ndarray, " glosses"]) -> Segments:
        """Some of them."""
        return Segments(self.glosses[chosen], self.bounds[chosen], self.confidence[chosen])


def segments_of(
    log_probs: Float[np.ndarray, "sentences steps classes"],
    num_steps: Int64[np.ndarray, " sentences"],
    spikes: Sequence[Spikes],
    config: DenseLabelsConfig,
    signing: Int64[np.ndarray, "sentences 2"] | None = None,
) -> list[Segments]:
    """The segments around each sentence's spikes.

    Between the spikes of g and h the segments meet after the step b that makes the sum of
    log p_t(g) up to b and log p_t(h) behind it largest, the first of equals. The blank's
    probability cancels out of that, so that a head without a blank may have anything in its place.
    Halfway, a step in the middle is the later gloss's; this is also the rule between two of the
    same gloss, where every b is as good.

    `signing` are the first step in which the hands do not rest and the one behind the last:
    `config.ends=extended` goes no further.
    """
    counts = np.array([len(one.steps) for one in spikes], np.int64)
    place = np.arange(int(counts.max(initial=0)))
    has = place < counts[:, None]
    steps, glosses = np.zeros(has.shape, np.int64), np.zeros(has.shape, np.int64)
    steps[has] = np.concatenate([one.steps for one in spikes])
    glosses[has] = np.concatenate([one.glosses for one in spikes])
    classes = glosses + 1
    bounds = np.stack([steps, steps + 1], axis=2)
    if len(place) > 1:
        meet = (steps[:, :-1] + steps[:, 1:] + 1) // 2
        if config.boundary == "likelihood":
            own = np.take_along_axis(log_probs, classes[:, None], axis=2).astype(np.float64)
            likely = _most_likely(own, steps)
            meet = np.where(glosses[:, :-1] == glosses[:, 1:], meet, likely)
        bounds[:, 1:, 0] = meet
        bounds[:, :-1, 1] = np.where(has[:, 1:], meet, bounds[:, :-1, 1])
    if config.ends == "extended" and len(place):
        _extend(bounds, counts, num_steps, signing, config.max_extension)
    at_spikes = np.take_along_axis(log_probs, steps[:, :, None], axis=1).astype(np.float64)
    own = np.take_along_axis(at_spikes, classes[:, :, None], axis=2)[:, :, 0]
    confidence = np.exp(own - logsumexp(at_spikes[:, :, BLANK + 1 :], axis=2))
    return [
        Segments(one.glosses, bounds[row, :count], confidence[row, :count])
        for row, (one, count) in enumerate(zip(spikes, counts.tolist(), strict=True))
    ]


def _most_likely(
    own: Float64[np.ndarray, "sentences steps glosses"],
    steps: Int64[np.ndarray, "sentences glosses"],
) -> Int64[np.ndarray, "sentences gaps"]:
    """First step of the later gloss of each two neighbours; `own` is log p_t of each gloss."""
    gain = (own[:, :, :-1] - own[:, :, 1:]).cumsum(axis=1)
    step = np.arange(own.shape[1])[None, :, None]
    possible = (step >= steps[:, None, :-1]) & (step < steps[:, None, 1:])
    found: np.ndarray = np.where(possible, gain, -np.inf).argmax(axis=1) + 1
    return found


def _extend(
    bounds: Int64[np.ndarray, "sentences glosses 2"],
    counts: Int64[np.ndarray, " sentences"],
    num_steps: Int64[np.ndarray, " sentences"],
    signing: Int64[np.ndarray, "sentences 2"] | None,
    width: int,
) -> None:
    """The first gloss's start and the last one's end moved outwards, in place."""
    first = np.zeros_like(num_steps) if signing is None else signing[:, 0]
    behind = num_steps if signing is None else np.minimum(signing[:, 1], num_steps)
    rows, last = np.arange(len(bounds)), np.maximum(counts - 1, 0)
    start, end = bounds[:, 0, 0], bounds[rows, last, 1]
    bounds[:, 0, 0] = np.minimum(start, np.maximum(start - width, first))
    bounds[rows, last, 1] = np.maximum(end, np.minimum(end + width, behind))
