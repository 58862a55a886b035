"""Metrics over people: pooled predictions, and intervals that ask what other signers would give.

An interval over seeds says nothing of the choice of signers, since every seed is tested on the same
people. Here the signers are drawn again (cluster bootstrap: Davison and Hinkley 1997, §3.8; Field
and Welsh 2007): clips of one signer are near-copies and stay together.

Percentiles of few people are too narrow, so they are taken further out, as far as Student's t for
as many goes (the expanded percentiles of Hesterberg 2015, arXiv 1411.5279): of 6 people they hold
93 % where plain ones hold 86. Fewer than `FEWEST_SIGNERS` lie on one side of the truth too often
for any interval between them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

from slr_ray.records.measured import Metric, Metrics, Span
from slr_ray.records.predictions import ClipPrediction

NUM_DRAWS = 2000
FEWEST_SIGNERS = 5
"""Below it there is no interval over signers."""
POOLED_METRICS: tuple[Metric, ...] = ("accuracy", "top5_accuracy", "balanced_accuracy", "macro_f1")
_SEED = 7919
_NUMBERS_AT_ONCE = 2_000_000


class PeopleCounts(ABC):
    """What one model, or one a fold, got right, counted so that people can be drawn again."""

    signers: tuple[str | None, ...]
    """Ascending; None, whose clips then count as one person's, where a split tests the unknown."""

    @abstractmethod
    def metrics(
        self, weights: Float[np.ndarray, "draws signers"]
    ) -> Mapping[str, Float[np.ndarray, " draws"]]:
        """Every metric with each signer counted so many times."""

    def once(self) -> dict[str, float]:
        """The metrics as they are: every signer once."""
        found = self.metrics(np.ones((1, len(self.signers))))
        return {name: float(values[0]) for name, values in found.items()}


@dataclass(frozen=True)
class SignerCounts(PeopleCounts):
    """Of isolated signs: clips by signer and gloss."""

    signers: tuple[str | None, ...]
    present: Float[np.ndarray, "signers glosses"]
    """Clips of the gloss."""
    hits: Float[np.ndarray, "signers glosses"]
    """Of them, those recognised."""
    predicted: Float[np.ndarray, "signers glosses"]
    """Clips taken for the gloss."""
    in_top5: Float[np.ndarray, " signers"]

    @classmethod
    def of(cls, predictions: Sequence[ClipPrediction]) -> SignerCounts:
        """The counts of some predictions; `ValueError` where there are none."""
        if not predictions:
            raise ValueError("no prediction to count")
        signers = ordered(one.signer for one in predictions)
        names = sorted({name for one in predictions for name in (one.gloss, one.predicted)})
        row = {name: index for index, name in enumerate(signers)}
        column = {name: index for index, name in enumerate(names)}
        present, hits, predicted = (np.zeros((len(signers), len(names))) for _ in range(3))
        in_top5: np.ndarray = np.zeros(len(signers))
        for one in predictions:
            who = row[one.signer]
            present[who, column[one.gloss]] += 1
            predicted[who, column[one.predicted]] += 1
            hits[who, column[one.gloss]] += one.predicted == one.gloss
            in_top5[who] += one.gloss in one.top5
        return cls(signers, present, hits, predicted, in_top5)

    def metrics(
        self, weights: Float[np.ndarray, "draws signers"]
    ) -> dict[str, Float[np.ndarray, " draws"]]:
        """`POOLED_METRICS`."""
        present, hits, predicted = (
            weights @ one for one in (self.present, self.hits, self.predicted)
        )
        num_clips = present.sum(axis=1)
        occurs, either = present > 0, present + predicted > 0
        recall = np.divide(hits, present, out=np.zeros_like(hits), where=occurs)
        f1 = np.divide(2 * hits, present + predicted, out=np.zeros_like(hits), where=either)
        return {
            "accuracy": hits.sum(axis=1) / num_clips,
            "top5_accuracy": (weights @ self.in_top5) / num_clips,
            "balanced_accuracy": recall.sum(axis=1) / occurs.sum(axis=1),
            "macro_f1": f1.sum(axis=1) / either.sum(axis=1),
        }


def ordered(signers: Iterable[str | None]) -> tuple[str | None, ...]:
    """Each once, ascending, the unknown one last."""
    return tuple(sorted(set(signers), key=lambda one: (one is None, one or "")))


def pooled_metrics(folds: Sequence[Metrics], counts: SignerCounts) -> Metrics:
    """Of all folds' test clips together, counted once each in `counts`; as `mean_metrics` where a
    mean is all that can be said.
    """
    return mean_metrics(folds).model_copy(update=counts.once())


def mean_metrics(folds: Sequence[Metrics]) -> Metrics:
    """Means over folds weighted by clips: for validation, whose sets overlap."""
    clips = [one.num_clips for one in folds]
    names = [name for name in Metrics.model_fields if name != "num_clips"]
    means = {
        name: float(np.average([getattr(one, name) for one in folds], weights=clips))
        for name in names
    }
    return Metrics(num_clips=sum(clips), **means)


def spans(by_seed: Sequence[PeopleCounts], num_draws: int = NUM_DRAWS) -> dict[str, Span]:
    """95 % intervals of each metric's mean over seeds, by percentiles over draws of signers.

    Empty with fewer than `FEWEST_SIGNERS`.
    """
    count = _num_signers(by_seed)
    if count < FEWEST_SIGNERS:
        return {}
    return _spans((_means(by_seed, one) for one in _draws(count, num_draws)), count)


def difference_spans(
    arm: Sequence[PeopleCounts], reference: Sequence[PeopleCounts], num_draws: int = NUM_DRAWS
) -> dict[str, Span]:
    """The same of `arm - reference`: both see the same people in each draw, so that easy signers
    do not count as a difference.
    """
    count = _num_signers([*arm, *reference])
    if count < FEWEST_SIGNERS:
        return {}
    found = []
    for weights in _draws(count, num_draws):
        ours, theirs = _means(arm, weights), _means(reference, weights)
        found.append({name: ours[name] - theirs[name] for name in ours if name in theirs})
    return _spans(found, count)


def _num_signers(every: Sequence[PeopleCounts]) -> int:
    people = {one.signers for one in every}
    if len(people) != 1:
        raise ValueError("an interval over signers needs the same signers in every seed and arm")
    return len(next(iter(people)))


def _draws(count: int, num_draws: int) -> Iterator[Float[np.ndarray, "draws signers"]]:
    """How often each signer is drawn; a part at a time, as many signers would fill the memory."""
    rng, at_once = np.random.default_rng(_SEED), max(1, _NUMBERS_AT_ONCE // count)
    for begin in range(0, num_draws, at_once):
        size = min(at_once, num_draws - begin)
        yield rng.multinomial(count, np.full(count, 1 / count), size=size).astype(np.float64)


def _means(
    by_seed: Sequence[PeopleCounts], weights: Float[np.ndarray, "draws signers"]
) -> dict[str, Float[np.ndarray, " draws"]]:
    every = [one.metrics(weights) for one in by_seed]
    common = [name for name in every[0] if all(name in one for one in every)]
    return {name: np.mean([one[name] for one in every], axis=0) for name in common}


def _spans(
    parts: Iterable[Mapping[str, Float[np.ndarray, " draws"]]], count: int
) -> dict[str, Span]:
    every, tail = list(parts), _tail(count)
    return {name: _span(np.concatenate([one[name] for one in every]), tail) for name in every[0]}


def _tail(count: int) -> float:
    """The share below an interval of so many people: 0.025 of many, 0.009 of ten."""
    t = float(special.stdtrit(count - 1, 0.975))
    return float(special.ndtr(-t * math.sqrt(count / (count - 1))))


def _span(values: Float[np.ndarray, " draws"], tail: float) -> Span:
    # A draw of people of whom a figure says nothing is no draw of that figure.
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return Span(low=float(low), high=float(high), num_draws=len(values))
