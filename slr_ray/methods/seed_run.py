"""From an experiment and a seed to everything that its rounds depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.methods.consistency import stream_settings
from slr_ray.methods.pretraining import Initial, initial_encoder
from slr_ray.methods.pseudo_labelling.label_parts import label_parts
from slr_ray.models.config import AnyRecogniser, load_encoder_weights
from slr_ray.records.measured import EpochRecord
from slr_ray.records.stages import StageStore, stage_key
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.round import Stream
from slr_ray.workers.place import Place

OnEpoch = Callable[[EpochRecord], None]


@dataclass(frozen=True)
class SeedRun:
    """Everything that a seed's rounds depend on, and where they run."""

    problem: Problem
    training: TrainingConfig
    method: RoundsConfig
    seed: int
    facts: dict[str, Any]
    """What identifies problem and training, for the stages' keys."""
    stages: StageStore
    place: Place
    on_epoch: OnEpoch | None = None
    encoder: Callable[[], Initial] | None = None
    """Gives the pre-trained weights that rounds start from; None = fresh weights."""
    frozen: bool = False
    """Keep those weights and fit only the classifier: linear evaluation."""
    stream: Stream | None = None
    """How unlabelled clips take part in every step of round 0; see `methods.consistency`."""


def prepare_seed(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> SeedRun:
    """One seed of an experiment, with its rounds in `stages`.

    Raises `ConfigError` where its initial weights know validation or test clips, several workers
    were to train what only one can, or there are too few labels to hold some out.
    """
    config, problem = prepared.config, prepared.problem(seed)
    if config.rounds.held_out_folds:
        label_parts(problem, config.rounds.held_out_folds, seed)
    return SeedRun(
        problem=problem,
        training=config.training,
        method=config.rounds,
        seed=seed,
        facts=prepared.stage_facts(),
        stages=stages,
        place=place,
        on_epoch=on_epoch,
        encoder=initial_encoder(prepared, seed, stages, place),
        frozen=isinstance(config.method, LinearEvaluationConfig),
        stream=stream_settings(config.method, problem, place.world_size),
    )


def round_key(run: SeedRun, number: int) -> str:
    """The key of a round's stage."""
    # num_rounds and patience decide only how many rounds there are, never what one of them gives.
    without = {"num_rounds", "patience_rounds", "keep_predictions"}
    settings = run.method.model_dump(mode="json", exclude=without) if number else None
    return stage_key(**run.facts, seed=run.seed, round=number, method=settings)


def first_model(run: SeedRun, number: int) -> AnyRecogniser:
    """The model that round `number` begins with, unless it continues."""
    torch.manual_seed(stable_seed(run.seed, number))
    model = run.problem.new_recogniser()
    if run.encoder is not None:
        load_encoder_weights(model, run.encoder().weights)
    return model


def stable_seed(*numbers: int) -> int:
    """One 31-bit seed from several numbers, the same everywhere."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
