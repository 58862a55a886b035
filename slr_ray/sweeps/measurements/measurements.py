"""What a table may measure of each cell, and how its figures are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from slr_ray.documents.document import Kind
from slr_ray.evaluation.people import POOLED_METRICS
from slr_ray.evaluation.perturbations import CLEAN
from slr_ray.reporting.run import METRIC_NAMES
from slr_ray.reporting.wording import IN_TIME_NAMES
from slr_ray.sweeps.measurements.encoder import (
    CLASSIFIERS,
    EncoderMeasurement,
    figure_of,
    titled,
)
from slr_ray.sweeps.measurements.robustness import RobustnessMeasurement
from slr_ray.sweeps.measurements.sentences import SentencesMeasurement
from slr_ray.sweeps.measurements.sliding_window import SlidingWindowMeasurement
from slr_ray.sweeps.measurements.trained import NeighboursMeasurement, TrainedMeasurement


@dataclass(frozen=True)
class FigureKind:
    title: str
    kind: Kind = "percent"
    less_is_better: bool = False
    counted: tuple[str, str] | None = None
    """The classifier whose answers on clips it is counted from, and how."""

    @property
    def is_share(self) -> bool:
        """Of test clips. A curve of shares is over strengths of what it is named after, any other
        one over gradient steps.
        """
        return self.kind == "percent"


FIGURES: dict[str, FigureKind] = {
    **{name: FigureKind(METRIC_NAMES[name], counted=("", name)) for name in POOLED_METRICS},
    **{
        figure_of(one, metric): FigureKind(titled(one, metric), counted=(one, metric))
        for one in CLASSIFIERS
        for metric in POOLED_METRICS
    },
    "wer": FigureKind("WER", less_is_better=True, counted=("", "wer")),
    "gloss_accuracy": FigureKind("1 - WER", counted=("", "gloss_accuracy")),
    **{name: FigureKind(title, counted=("", name)) for name, title in IN_TIME_NAMES.items()},
    "non_blank_share": FigureKind("steps that say a gloss"),
    "window_frames": FigureKind("frames of the window", "number"),
    "window_stride": FigureKind("steps between windows", "number"),
    "window_threshold": FigureKind("threshold", "number"),
    "semi": FigureKind("fine-tuned on few labels"),
    "inertia_share": FigureKind("intra-class inertia, share", "number"),
    "effective_rank": FigureKind("effective rank", "number"),
    "embedding_std": FigureKind("embedding std", "number"),
    "pretraining_s": FigureKind("pre-training", "seconds"),
    **{str(kind): FigureKind(kind.replace("_", " ")) for kind in CLEAN},
}
"""How tables call and write each figure."""


MeasurementConfig = Annotated[
    TrainedMeasurement
    | NeighboursMeasurement
    | EncoderMeasurement
    | RobustnessMeasurement
    | SentencesMeasurement
    | SlidingWindowMeasurement,
    Field(discriminator="kind"),
]
