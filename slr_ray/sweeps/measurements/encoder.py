"""SSL-SLR's evaluations of a pre-trained encoder as one measurement (arXiv 2509.05188, 6.3)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from pydantic import Field

from slr_ray.config import Config
from slr_ray.corpora.pools import FractionPoolConfig
from slr_ray.encoders.fine_tuning import fine_tune
from slr_ray.encoders.protocols import Represented, Source, classify, geometry
from slr_ray.evaluation.probe import RepresentedSet
from slr_ray.experiment.experiment import pretraining_of
from slr_ray.experiment.initialisation import FreshWeights
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.methods.nearest_neighbour import pose_vectors
from slr_ray.methods.pretraining import pretrained_encoder
from slr_ray.models.config import new_encoder
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import num_channels
from slr_ray.records.stages import StageStore
from slr_ray.records.sweeps import CellRecord
from slr_ray.search.comparison.cells import Outcome
from slr_ray.training.pretraining.loop import PretrainedEncoder
from slr_ray.training.problem import Problem, check_glosses
from slr_ray.training.representation import represented_set
from slr_ray.workers.place import Place


class EncoderMeasurement(Config):
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
        classified = ("linear", "linear_top5", "mlp", "knn")
        semi = () if self.semi_fraction is None else ("semi",)
        lying = ("inertia_share", "effective_rank", "embedding_std", "pretraining_s")
        return (*classified, *semi, *lying)

    def check(self, prepared: Prepared) -> None:
        """`ConfigError` where there is no pre-training to measure."""
        if self.source == "encoder":
            pretraining_of(prepared.config)

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        problem = prepared.problem(seed)
        check_glosses(problem)
        figures: dict[str, float] = {}
        trained: PretrainedEncoder | None = None
        if self.source == "encoder":
            prepared.refuse_measured_clips()
            trained = pretrained_encoder(prepared, seed, stages, place)
            figures["embedding_std"] = trained.epochs[-1].embedding_std
            figures["pretraining_s"] = trained.training_s
        model = None if self.source == "poses" else _model(prepared, seed, trained)
        clips = _represented(model, problem, _max_frames(prepared), place)
        figures |= self._classified(clips, problem, seed)
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
            )
        )

    def _classified(self, clips: Represented, problem: Problem, seed: int) -> dict[str, float]:
        knn = classify("knn", clips, problem.num_glosses, seed)
        found = {"knn": knn.test.accuracy}
        if self.source != "poses":
            linear = classify("linear", clips, problem.num_glosses, seed)
            mlp = classify("mlp", clips, problem.num_glosses, seed)
            found["linear"] = linear.test.accuracy
            found["linear_top5"] = linear.test.top5_accuracy
            found["mlp"] = mlp.test.accuracy
        return found

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
    """The encoder with its weights, or random ones; global random state is left alone."""
    config = prepared.config
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = new_encoder(config.model, num_channels(config.normalisation)).eval()
    if trained is not None:
        model.load_state_dict(trained.encoder)
    return model


def _max_frames(prepared: Prepared) -> int | None:
    """Of a clip that the encoder represents: as many as in its pre-training."""
    config = prepared.config
    own = getattr(config.initialisation, "max_frames", None)
    return own or config.training.max_frames


def _represented(
    model: Model | None, problem: Problem, max_frames: int | None, place: Place
) -> Represented:
    """The labelled, validation and test clips; as poses without a model."""

    def of(clips: Int[np.ndarray, " clips"]) -> RepresentedSet:
        if model is None:
            return RepresentedSet(pose_vectors(problem, clips).numpy(), problem.glosses(clips))
        return represented_set(
            model.to(place.device), problem, clips, max_frames=max_frames, device=place.device
        )

    return Represented(of(problem.labelled), of(problem.split.validation), of(problem.split.test))
