"""What a table measures of each cell: a training on the test set, or a frozen encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from slr_ray.config import Config
from slr_ray.documents.document import Kind
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import Measured, measure_neighbours, train_and_measure
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.encoder_measurement import EncoderMeasurement
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class FigureKind:
    title: str
    kind: Kind = "percent"


FIGURES = {
    "accuracy": FigureKind("accuracy"),
    "balanced_accuracy": FigureKind("balanced accuracy"),
    "macro_f1": FigureKind("macro-F1"),
    "top5_accuracy": FigureKind("top-5 accuracy"),
    "linear": FigureKind("linear"),
    "linear_top5": FigureKind("linear, top-5"),
    "mlp": FigureKind("MLP"),
    "knn": FigureKind("k-NN"),
    "semi": FigureKind("fine-tuned on few labels"),
    "inertia_share": FigureKind("intra-class inertia, share", "number"),
    "effective_rank": FigureKind("effective rank", "number"),
    "embedding_std": FigureKind("embedding std", "number"),
    "pretraining_s": FigureKind("pre-training", "seconds"),
}
"""How tables call and write each figure."""


class TrainedMeasurement(Config):
    """Train, choose the round on validation, measure that model once on the test set."""

    kind: Literal["trained"] = "trained"
    last_model: bool = False
    """Measure the last round's model, which validation did not choose."""

    @property
    def figures(self) -> tuple[str, ...]:
        return _METRICS

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        measured = train_and_measure(prepared, seed, stages, place, last_model=self.last_model)
        return _outcome(prepared, seed, measured)


class NeighboursMeasurement(Config):
    """The nearest labelled clip answers: the baseline that needs no training."""

    kind: Literal["neighbours"] = "neighbours"

    @property
    def figures(self) -> tuple[str, ...]:
        return _METRICS

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        return _outcome(prepared, seed, measure_neighbours(prepared, seed))


MeasurementConfig = Annotated[
    TrainedMeasurement | NeighboursMeasurement | EncoderMeasurement, Field(discriminator="kind")
]
_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "top5_accuracy")


def _outcome(prepared: Prepared, seed: int, measured: Measured) -> Outcome:
    record, pool = measured.record, prepared.pool(seed)
    return Outcome(
        CellRecord(
            figures={name: getattr(record.test, name) for name in _METRICS},
            num_labelled=len(pool.labelled),
            num_training=len(prepared.split.training),
            num_validation=len(prepared.split.validation),
            num_test=len(prepared.split.test),
            num_glosses=len(prepared.corpus.glosses),
            num_steps=record.num_steps,
            training_s=record.training_s,
            trained=record.trained,
        ),
        measured.predictions,
    )
