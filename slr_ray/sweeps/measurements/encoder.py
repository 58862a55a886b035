"""SSL-SLR's evaluations of a pre-trained encoder as one measurement (arXiv 2509.05188, 6.3)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slr_ray.corpora.clip_kinds import refuse_sentences
from slr_ray.corpora.pools import FractionPoolConfig
from slr_ray.encoders.fine_tuning import fine_tune
from slr_ray.encoders.protocols import Source, answered, fresh_model, geometry, represented
from slr_ray.encoders.records import Classification
from slr_ray.experiment.experiment import pretraining_of
from slr_ray.experiment.initialisation import FreshWeights
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.experiment.validation_checks import refuse_choosing
from slr_ray.methods.measured import answers
from slr_ray.methods.pretraining import pretrained_encoder
from slr_ray.models.model import Model
from slr_ray.records.measured import Metric
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.sweeps.measurements.measurement import Measurement
from slr_ray.training.pretraining.loop import PretrainedEncoder
from slr_ray.workers.place import Place

CLASSIFIERS: dict[Classification, str] = {"linear": "linear", "mlp": "MLP", "knn": "k-NN"}
_NAMED: dict[Metric, tuple[str, str]] = {
    "accuracy": ("", ""),
    "top5_accuracy": ("_top5", ", top-5"),
    "balanced_accuracy": ("_balanced", ", balanced"),
    "macro_f1": ("_macro_f1", ", macro-F1"),
}


def figure_of(classifier: Classification, metric: Metric) -> str:
    return classifier + _NAMED[metric][0]


def titled(classifier: Classification, metric: Metric) -> str:
    return CLASSIFIERS[classifier] + _NAMED[metric][1]


class EncoderMeasurement(Measurement):
    """A frozen encoder: classifiers on its representations, and how these lie."""

    kind: Literal["encoder"] = "encoder"
    source: Source = "encoder"
    """What is evaluated: the pre-trained encoder, the same one with random weights, or the
    normalised poses, where k-NN is all there is."""
    semi_fraction: float | None = Field(0.3, gt=0, le=1)
    """Share of the labels that the encoder is fine-tuned on as well (the paper: 30 %); None: it is
    not."""

    @property
    def figures(self) -> tuple[str, ...]:
        classified = [figure_of(one, metric) for one in CLASSIFIERS for metric in _NAMED]
        semi = () if self.semi_fraction is None else ("semi",)
        lying = ("inertia_share", "effective_rank", "embedding_std", "pretraining_s")
        return (*classified, *semi, *lying)

    def check(self, prepared: Prepared, seed: int) -> None:
        """`ConfigError` where there is no pre-training to measure, or nothing to tell apart."""
        if self.source == "encoder":
            pretraining_of(prepared.config)
        refuse_choosing(prepared.config.training, f"measure.kind={self.kind}")
        refuse_sentences(prepared.corpus)
        prepared.pool(seed)

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        problem = prepared.problem(seed)
        figures: dict[str, float] = {}
        trained: PretrainedEncoder | None = None
        if self.source == "encoder":
            prepared.refuse_measured_clips()
            trained = pretrained_encoder(prepared, seed, stages, place)
            figures["embedding_std"] = trained.epochs[-1].embedding_std
            figures["pretraining_s"] = trained.training_s
        model = None if self.source == "poses" else _model(prepared, seed, trained)
        clips = represented(model, problem, _max_frames(prepared), place)
        predictions: dict[str, list[ClipPrediction]] = {}
        wanted: tuple[Classification, ...] = ("knn",) if model is None else tuple(CLASSIFIERS)
        for one in wanted:
            record, probabilities = answered(one, clips, problem.num_glosses, seed)
            figures |= {figure_of(one, name): getattr(record.test, name) for name in _NAMED}
            predictions[one] = answers(problem.corpus, problem.split.test, probabilities)
        if self.semi_fraction is not None and model is not None:
            figures["semi"] = self._fine_tuned(prepared, seed, stages, place)
        lie = geometry(clips)
        figures |= {"inertia_share": lie.inertia_share, "effective_rank": lie.effective_rank}
        epochs = () if trained is None else trained.epochs
        steps = [(step.num_steps, step.embedding_std) for one in epochs for step in one.steps]
        return Outcome(
            CellRecord(
                figures=figures,
                curves={"embedding_std": steps},
                num_labelled=len(problem.labelled),
                num_training=prepared.num_training_labels,
                num_validation=len(problem.split.validation),
                num_test=len(problem.split.test),
                num_glosses=problem.num_glosses,
                num_steps=0 if trained is None else trained.num_steps,
                training_s=0.0 if trained is None else trained.training_s,
            ),
            predictions,
        )

    def _fine_tuned(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> float:
        assert self.semi_fraction is not None
        changes = {
            "pool": FractionPoolConfig(fraction=self.semi_fraction),
            "method": SupervisedConfig(),
            **({"initialisation": FreshWeights()} if self.source == "fresh" else {}),
        }
        few = prepared.with_config(prepared.config.model_copy(update=changes))
        return fine_tune(few, seed, stages, place).test.accuracy


def _model(prepared: Prepared, seed: int, trained: PretrainedEncoder | None) -> Model:
    """The encoder with its weights, or random ones."""
    model = fresh_model(prepared.config.model, prepared.config.normalisation, seed)
    if trained is not None:
        model.load_state_dict(trained.encoder)
    return model


def _max_frames(prepared: Prepared) -> int | None:
    """Of a clip that the encoder represents: as many as in its pre-training."""
    config = prepared.config
    own = getattr(config.initialisation, "max_frames", None)
    return own or config.training.max_frames
