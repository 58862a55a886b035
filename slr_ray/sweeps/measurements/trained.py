"""A training on the test set as a measurement, and the baseline that needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from slr_ray.evaluation.people import POOLED_METRICS
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import Measured, measure_neighbours, train_and_measure
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.measurements.measurement import Measurement
from slr_ray.workers.place import Place


class TrainedMeasurement(Measurement):
    """Train, choose the round on validation, measure that model once on the test set."""

    kind: Literal["trained"] = "trained"
    last_model: bool = False
    """Measure the last round's model, which validation did not choose."""

    @property
    def figures(self) -> tuple[str, ...]:
        return POOLED_METRICS

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        measured = train_and_measure(prepared, seed, stages, place, last_model=self.last_model)
        return trained_outcome(prepared, seed, measured)


class NeighboursMeasurement(Measurement):
    """The nearest labelled clip answers: the baseline that needs no training."""

    kind: Literal["neighbours"] = "neighbours"

    @property
    def figures(self) -> tuple[str, ...]:
        return POOLED_METRICS

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        return trained_outcome(prepared, seed, measure_neighbours(prepared, seed))


def trained_outcome(
    prepared: Prepared, seed: int, measured: Measured, figures: Sequence[str] = POOLED_METRICS
) -> Outcome:
    """What is kept of a measured experiment: no checkpoint, for a table has many."""
    record, pool = measured.record, prepared.pool(seed)
    found = {name: getattr(record.test, name) for name in figures}
    return Outcome(
        CellRecord(
            figures={name: value for name, value in found.items() if value is not None},
            num_labelled=len(pool.labelled),
            num_training=prepared.num_training_labels,
            num_validation=prepared.num_validation,
            num_test=len(prepared.split.test),
            num_glosses=len(prepared.corpus.glosses),
            num_steps=record.num_steps,
            training_s=record.training_s,
            trained=record.trained,
        ),
        {"": measured.predictions},
    )
