"""What evaluations of encoders leave behind, as typed records."""

from __future__ import annotations

from slr_ray.config import Record
from slr_ray.records.measured import Metrics, PretrainingStep


class ObjectiveRecord(Record):
    """One source of representations with one seed, measured on the test set."""

    objective: str
    """Of the pre-training; `fresh` for random weights, `poses` for no encoder at all."""
    augmentation: str
    """Of its views; empty without pre-training."""
    seed: int
    linear: Metrics | None
    """Linear evaluation; None for `poses`, where it would be another model."""
    knn: Metrics
    validation: Metrics
    """Of what `linear` (or `knn`, where there is none) chose on validation."""
    inertia_share: float
    """Intra-class inertia as a share of the total, of L2-normalised representations."""
    effective_rank: float
    embedding_std: float | None
    """At the end of pre-training."""
    steps: tuple[PretrainingStep, ...] = ()
    """Of pre-training, as far as they were told."""
    num_steps: int
    clips_per_s: float | None
    """Of pre-training."""
    training_s: float


class ClassificationRecord(Record):
    """A classifier on one source's representations."""

    setting: str
    """What validation chose."""
    validation: Metrics
    test: Metrics


class GeometryRecord(Record):
    """How the test clips' representations lie, without a classifier."""

    inertia: float
    """Intra-class inertia of the L2-normalised representations."""
    inertia_share: float
    """Of the total inertia of the same; NaN where all clips have one representation."""
    spread: float
    effective_rank: float
    mean_cosine: float
