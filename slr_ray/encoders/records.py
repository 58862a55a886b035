"""What evaluations of encoders leave behind, as typed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from slr_ray.config import Record
from slr_ray.records.measured import Metrics, PretrainingStep
from slr_ray.records.predictions import ClipPrediction, from_parquet, to_parquet
from slr_ray.storage import Store

Classification = Literal["linear", "mlp", "knn"]
"""A classifier on frozen representations."""


class ClassificationRecord(Record):
    """A classifier on one source's representations."""

    setting: str
    """What validation chose."""
    validation: Metrics
    test: Metrics


class ObjectiveRecord(Record):
    """One source of representations with one seed, measured on the test set."""

    objective: str
    """Of the pre-training; `fresh` for random weights, `poses` for no encoder at all."""
    augmentation: str
    """Of its views; empty without pre-training."""
    seed: int
    classifiers: dict[Classification, ClassificationRecord]
    """`poses` has k-NN alone: another one would be another model."""
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


class GeometryRecord(Record):
    """How the test clips' representations lie, without a classifier."""

    inertia: float
    """Intra-class inertia of the L2-normalised representations."""
    inertia_share: float
    """Of the total inertia of the same; NaN where all clips have one representation."""
    spread: float
    effective_rank: float
    mean_cosine: float


@dataclass(frozen=True)
class EncoderFolder:
    """Where one source's record lies, with what each classifier answered."""

    store: Store
    folder: str

    def is_done(self) -> bool:
        """Whether the record is there; the test set is not touched again then."""
        return self.store.exists(f"{self.folder}/record.json")

    def write(
        self,
        record: ObjectiveRecord,
        predictions: Mapping[Classification, Sequence[ClipPrediction]],
    ) -> None:
        """The predictions, then the record, which says that all is there."""
        for name, answered in predictions.items():
            self.store.write_bytes(self._predictions(name), to_parquet(answered))
        content = record.model_dump_json(indent=1).encode()
        self.store.write_bytes(f"{self.folder}/record.json", content)

    def record(self) -> ObjectiveRecord:
        content = self.store.read_bytes(f"{self.folder}/record.json")
        return ObjectiveRecord.model_validate_json(content)

    def predictions(self, classifier: Classification) -> list[ClipPrediction]:
        """On the test clips."""
        return from_parquet(self.store.read_bytes(self._predictions(classifier)))

    def _predictions(self, classifier: Classification) -> str:
        return f"{self.folder}/predictions-{classifier}.parquet"
