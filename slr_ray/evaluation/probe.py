"""What evaluations on frozen representations share: labelled sets, and the classifier they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from slr_ray.evaluation.metrics import measure
from slr_ray.records.measured import Metrics


@dataclass(frozen=True)
class RepresentedSet:
    """Representations of labelled clips."""

    representations: Float[np.ndarray, "clips dim"]
    glosses: Int[np.ndarray, " clips"]

    def __len__(self) -> int:
        return len(self.glosses)


Classify = Callable[[np.ndarray], np.ndarray]
"""Representations (clips x dim) to gloss probabilities (clips x glosses)."""


@dataclass(frozen=True)
class Probe:
    """A classifier on frozen representations, with the setting that validated best."""

    setting: str
    """Name and value of what validation chose, such as `C=0.1`."""
    validation: Metrics
    classify: Classify

    def measured(self, clips: RepresentedSet) -> Metrics:
        """Metrics on other clips: the test set, once."""
        return measure(self.classify(clips.representations), clips.glosses)


def best_on_validation(
    candidates: Iterable[tuple[str, Classify]], validation: RepresentedSet
) -> Probe:
    """The candidate with the highest balanced accuracy, the lower loss of equals.

    Candidates are fitted one by one as they are drawn from the iterator. `ValueError` without any.
    """
    best: Probe | None = None
    for setting, classify in candidates:
        metrics = measure(classify(validation.representations), validation.glosses)
        if best is None or _rank(metrics) > _rank(best.validation):
            best = Probe(setting, metrics, classify)
    if best is None:
        raise ValueError("no candidate to choose from")
    return best


@dataclass(frozen=True)
class Standardisation:
    """The map to mean 0 and standard deviation 1 of each dimension of some clips."""

    mean: Float[np.ndarray, " dim"]
    scale: Float[np.ndarray, " dim"]
    """0 where a dimension is the same for all of those clips, so that it stays 0."""

    def __call__(self, representations: np.ndarray) -> np.ndarray:
        return np.asarray((representations - self.mean) * self.scale, np.float32)


def standardised(training: Float[np.ndarray, "clips dim"]) -> Standardisation:
    """The standardisation of the training clips."""
    mean = training.mean(axis=0)
    spread = training.std(axis=0)
    scale = np.where(spread > 1e-8 * (1 + np.abs(mean)), 1 / np.maximum(spread, 1e-12), 0.0)
    return Standardisation(mean, scale)


def _rank(metrics: Metrics) -> tuple[float, float]:
    return metrics.balanced_accuracy, -metrics.loss
