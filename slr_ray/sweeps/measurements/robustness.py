"""A training whose test clips are perturbed, each kind of perturbation a curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from slr_ray.evaluation.people import POOLED_METRICS
from slr_ray.evaluation.perturbations import CLEAN, Perturbations
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import train_and_measure
from slr_ray.methods.recogniser import recogniser_of
from slr_ray.methods.robustness import Examinee
from slr_ray.records.measured import of_signs
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.measurements.measurement import Measurement
from slr_ray.sweeps.measurements.trained import trained_outcome
from slr_ray.workers.place import Place


class RobustnessMeasurement(Measurement):
    """Accuracy under each kind of perturbation, mean over its strengths, beside clean clips."""

    kind: Literal["robustness"] = "robustness"
    perturbations: Perturbations = Perturbations()

    @property
    def figures(self) -> tuple[str, ...]:
        tried = {one.kind for one in self.perturbations.all()}
        return (*POOLED_METRICS, *(kind for kind in CLEAN if kind in tried))

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        measured = train_and_measure(prepared, seed, stages, place)
        assert measured.checkpoint is not None
        recogniser = recogniser_of(measured.checkpoint, "checkpoint")
        examinee = Examinee(recogniser, prepared.corpus, prepared.split.test)
        clean = of_signs(measured.record.test).accuracy
        curves: dict[str, list[tuple[float, float]]] = {}
        for what in self.perturbations.all():
            found = examinee.answers(
                what, self.perturbations.seed, self.perturbations.picture_aspect
            )
            accuracy = float(np.mean([one.predicted == one.gloss for one in found]))
            curves.setdefault(what.kind, []).append((what.strength, accuracy))
        means = {kind: float(np.mean([y for _, y in points])) for kind, points in curves.items()}
        outcome = trained_outcome(prepared, seed, measured)
        assert isinstance(outcome.record, CellRecord)
        record = outcome.record.model_copy(
            update={
                "figures": outcome.record.figures | means,
                "curves": {
                    kind: sorted({(CLEAN[kind], clean), *curves[kind]})
                    for kind in CLEAN
                    if kind in curves
                },
            }
        )
        return replace(outcome, record=record)
