"""What a table may measure of each cell, and how its figures are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from slr_ray.documents.document import Kind
from slr_ray.evaluation.perturbations import CLEAN
from slr_ray.sweeps.measurements.encoder import EncoderMeasurement
from slr_ray.sweeps.measurements.robustness import RobustnessMeasurement
from slr_ray.sweeps.measurements.trained import NeighboursMeasurement, TrainedMeasurement


@dataclass(frozen=True)
class FigureKind:
    title: str
    kind: Kind = "percent"


FIGURES: dict[str, FigureKind] = {
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
    **{str(kind): FigureKind(kind.replace("_", " ")) for kind in CLEAN},
}
"""How tables call and write each figure."""


MeasurementConfig = Annotated[
    TrainedMeasurement | NeighboursMeasurement | EncoderMeasurement | RobustnessMeasurement,
    Field(discriminator="kind"),
]
