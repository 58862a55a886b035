"""Isolated signs in a sliding window as a measurement: the baseline of sentences."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.validation_checks import refuse_choosing
from slr_ray.methods.sliding_window import Reading, cut_signs, measure_windows
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.measurements.measurement import Measurement
from slr_ray.sweeps.measurements.sentences import SENTENCE_FIGURES, refuse_signs
from slr_ray.sweeps.measurements.trained import trained_outcome
from slr_ray.training.problem import Problem
from slr_ray.workers.place import Place

_Section = Literal["preset", "normalisation", "augmentation", "model", "training"]


class SlidingWindowMeasurement(Measurement):
    """Train on signs cut out of the labelled sentences, read the test sentences window by window.

    For corpora whose true times are known. What is read how is chosen on validation. Of the cell's
    experiment data, split and pool count; decoding and `sentences.dplr`'s ends do, too.
    """

    kind: Literal["sliding_window"] = "sliding_window"
    recogniser: dict[_Section, Any] = Field({})
    """The recogniser of isolated signs: sections of a configuration, over the preset `modern` where
    none is named. Each window is seen once: its neighbours are other views of the sign."""
    windows: tuple[Annotated[int, Field(ge=4)], ...] = Field((4, 6, 8, 10, 12, 16), min_length=1)
    """Frames of a window, to choose from."""
    strides: tuple[Annotated[int, Field(ge=1)], ...] = Field((1, 2, 3), min_length=1)
    """From one window to the next, in steps of four frames."""
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        tuple(round(0.2 + 0.05 * place, 2) for place in range(16)), min_length=1
    )
    """A window whose likeliest gloss is less probable shows none."""

    @property
    def figures(self) -> tuple[str, ...]:
        return (*SENTENCE_FIGURES, "window_frames", "window_stride", "window_threshold")

    def check(self, prepared: Prepared, seed: int) -> None:
        """`ConfigError` where clips are isolated signs, or sentences have no times."""
        refuse_signs(prepared, self.kind)
        refuse_choosing(prepared.config.training, f"measure.kind={self.kind}")
        self.learning(prepared, seed)

    def learning(self, prepared: Prepared, seed: int) -> tuple[Problem, Experiment]:
        """What the recogniser learns from, and how; the cell's own method trains nothing."""
        recogniser = self._recogniser()
        return cut_signs(prepared.problem(seed), recogniser), recogniser

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        every = itertools.product(self.windows, self.strides, self.thresholds)
        readings = [Reading(*one) for one in every]
        measured, chosen = measure_windows(
            prepared, self._recogniser(), readings, seed, stages, place
        )
        outcome = trained_outcome(prepared, seed, measured, SENTENCE_FIGURES)
        assert isinstance(outcome.record, CellRecord)
        figures = outcome.record.figures | {
            "window_frames": chosen.window,
            "window_stride": chosen.stride,
            "window_threshold": chosen.threshold,
        }
        return replace(outcome, record=outcome.record.model_copy(update={"figures": figures}))

    def _recogniser(self) -> Experiment:
        tree: dict[str, Any] = {str(name): one for name, one in self.recogniser.items()}
        return build_experiment(tree, "measure.recogniser")
