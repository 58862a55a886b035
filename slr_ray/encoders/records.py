"""What evaluations of encoders leave behind, as typed records."""

from __future__ import annotations

from typing import Literal

from slr_ray.config import Record
from slr_ray.records.measured import Metrics

Classification = Literal["linear", "mlp", "knn"]
"""A classifier on frozen representations."""


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
