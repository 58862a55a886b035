"""A training on sentences as a measurement: word errors, and where in time glosses are found."""

from __future__ import annotations

from typing import Literal

from slr_ray.errors import ConfigError
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.measured import train_and_measure
from slr_ray.records.stages import StageStore
from slr_ray.reporting.wording import IN_TIME_NAMES
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.measurements.measurement import Measurement
from slr_ray.sweeps.measurements.trained import trained_outcome
from slr_ray.workers.place import Place

SENTENCE_FIGURES = ("wer", "gloss_accuracy", *IN_TIME_NAMES, "non_blank_share")


class SentencesMeasurement(Measurement):
    """Train on sentences, choose the round on validation, measure it once on the test set.

    Figures in time are missing where no true times are known.
    """

    kind: Literal["sentences"] = "sentences"

    @property
    def figures(self) -> tuple[str, ...]:
        return SENTENCE_FIGURES

    def check(self, prepared: Prepared, seed: int) -> None:
        """`ConfigError` where clips are isolated signs."""
        refuse_signs(prepared, self.kind)

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        measured = train_and_measure(prepared, seed, stages, place)
        return trained_outcome(prepared, seed, measured, SENTENCE_FIGURES)


def refuse_signs(prepared: Prepared, kind: str) -> None:
    """`ConfigError` where a measurement of sentences is to measure isolated signs."""
    if prepared.config.task != "continuous":
        raise ConfigError(
            f"measure.kind is {kind!r}, but task is {prepared.config.task!r}: set task=continuous"
        )
