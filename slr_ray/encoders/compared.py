"""What a comparison found of each kind of encoder: all folds of a seed made one result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from slr_ray.encoders.records import (
    Classification,
    ClassificationRecord,
    EncoderFolder,
    ObjectiveRecord,
)
from slr_ray.evaluation.people import SignerCounts, mean_metrics, pooled_metrics, spans
from slr_ray.evaluation.statistics import interval
from slr_ray.records.measured import Interval, Metric, Span
from slr_ray.records.predictions import pooled

Kind = tuple[str, str]
"""Objective and augmentation."""


@dataclass(frozen=True)
class Compared:
    """One objective with one augmentation, or a baseline, on all seeds that have a result."""

    kind: Kind
    records: tuple[ObjectiveRecord, ...]
    """One a seed, of the test clips of all folds."""
    people: dict[Classification, tuple[SignerCounts, ...]]
    """One a seed."""

    def values(self, classifier: Classification, metric: Metric) -> dict[int, float]:
        """By seed; empty where the classifier was not fitted."""
        found = {one.seed: one.classifiers.get(classifier) for one in self.records}
        return {
            seed: float(getattr(one.test, metric)) for seed, one in found.items() if one is not None
        }

    def over_seeds(self, classifier: Classification, metric: Metric) -> Interval | None:
        values = list(self.values(classifier, metric).values())
        return interval(values) if values else None

    def over_signers(self, classifier: Classification, metric: Metric) -> Span | None:
        """Of the mean over seeds; None without the classifier, or with fewer than two signers."""
        counts = self.people.get(classifier)
        return spans(counts)[metric] if counts and len(counts[0].signers) > 1 else None


def compared(found: Iterable[tuple[Kind, int, EncoderFolder]], num_folds: int) -> list[Compared]:
    """Results by kind and seed, in order of appearance; a seed that lacks a fold is left out."""
    parts: dict[Kind, dict[int, list[EncoderFolder]]] = {}
    for kind, seed, folder in found:
        parts.setdefault(kind, {}).setdefault(seed, []).append(folder)
    kinds = []
    for kind, of_seed in parts.items():
        whole = [_together(folds) for folds in of_seed.values() if len(folds) == num_folds]
        if whole:
            records, counts = zip(*whole, strict=True)
            people = {name: tuple(one[name] for one in counts) for name in counts[0]}
            kinds.append(Compared(kind, records, people))
    return kinds


def _together(
    folds: Sequence[EncoderFolder],
) -> tuple[ObjectiveRecord, dict[Classification, SignerCounts]]:
    """One record of one seed's folds, and its people.

    Test metrics are those of all clips together. What has no meaning over folds is their mean; time
    is their sum, and steps are drawn of the first.
    """
    records = [one.record() for one in folds]
    first = records[0]
    counts = {
        name: SignerCounts.of(pooled(one.predictions(name) for one in folds))
        for name in first.classifiers
    }
    if len(folds) == 1:
        return first, counts
    classifiers = {}
    for name, own in counts.items():
        parts = [one.classifiers[name] for one in records]
        classifiers[name] = ClassificationRecord(
            setting=", ".join(sorted({one.setting for one in parts})),
            validation=mean_metrics([one.validation for one in parts]),
            test=pooled_metrics([one.test for one in parts], own),
        )
    return first.model_copy(
        update={
            "classifiers": classifiers,
            "inertia_share": mean([one.inertia_share for one in records]),
            "effective_rank": mean([one.effective_rank for one in records]),
            "embedding_std": mean([one.embedding_std for one in records]),
            "num_steps": round(np.mean([one.num_steps for one in records])),
            "clips_per_s": mean([one.clips_per_s for one in records]),
            "training_s": sum(one.training_s for one in records),
        }
    ), counts


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that there are; None where there are none."""
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None
