"""Supervised pre-training: an encoder that tells other glosses apart first, as a stage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from slr_ray.corpora.split_checks import refuse_one_gloss
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError
from slr_ray.experiment.initialisation import OtherGlosses
from slr_ray.experiment.prepared import STAGE_VERSION, Prepared
from slr_ray.methods.stage import stage
from slr_ray.models.config import without_classifier
from slr_ray.records.measured import EpochRecord
from slr_ray.records.stages import StageStore, State, stage_key
from slr_ray.training.config import TrainingConfig
from slr_ray.training.labels.sampling import true_labels
from slr_ray.training.loop import train
from slr_ray.training.problem import Problem
from slr_ray.training.round import Round
from slr_ray.workers.place import Place

_MOST_WATCHED = 500
_NUM_TOLD = 10
OnEpoch = Callable[[EpochRecord], None]


def encoder_of_other_glosses(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> State:
    """Weights without a classifier after training on the other glosses, or the stage's."""
    encoder: State = trained_on_other_glosses(prepared, seed, stages, place, on_epoch)["encoder"]
    return encoder


def trained_on_other_glosses(
    prepared: Prepared,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> State:
    """The stage: those weights as `encoder`, and its `training_s`.

    One supervised round of the experiment's own training, whose last model is kept: no validation
    clip chooses anything.
    """
    section, problem = _section(prepared), _problem(prepared)
    own_seed = seed if section.seed is None else section.seed
    training = _training(prepared)
    key = stage_key(
        what="other_glosses",
        version=STAGE_VERSION,
        # Of the other corpus: where nobody of it is held out, all folds start from one encoder.
        split=problem.split.fingerprint,
        normalisation=problem.normalisation.model_dump(mode="json"),
        augmentation=problem.augmentation.model_dump(mode="json"),
        model=problem.model.model_dump(mode="json"),
        # Whose labels train is the experiment's affair: here all do.
        training=training.model_dump(mode="json", exclude={"with_validation"}),
        data=problem.corpus.fingerprint,
        seed=own_seed,
    )

    def work() -> State:
        torch.manual_seed(own_seed)
        labels = true_labels(problem.labelled, problem.glosses(problem.labelled))
        trained = train(
            problem.new_model(),
            problem,
            training,
            Round(number=0, seed=own_seed, training_set=labels),
            place,
            checkpoint=stages.checkpoint(key),
            on_epoch=on_epoch,
        )
        encoder = without_classifier(trained.model_state)
        return {"encoder": encoder, "training_s": trained.training_s}

    found, _ = stage(stages, place, key, work)
    return found


def num_other_steps(prepared: Prepared) -> int:
    """Gradient steps on other glosses; 0 where the experiment does not begin with them."""
    if prepared.other is None:
        return 0
    training = _training(prepared)
    in_epoch = training.steps_per_epoch or -(-len(prepared.other.clips) // training.batch_size)
    return training.num_epochs * in_epoch


def check_other_glosses(prepared: Prepared) -> None:
    """`ConfigError` where the other corpus has too few glosses to tell apart."""
    try:
        problem = _problem(prepared)
        refuse_one_gloss(problem.corpus, problem.glosses(problem.labelled))
    except ConfigError as error:
        raise ConfigError(f"initialisation.data: {error}") from None


def _section(prepared: Prepared) -> OtherGlosses:
    section = prepared.config.initialisation
    assert isinstance(section, OtherGlosses)
    return section


def _training(prepared: Prepared) -> TrainingConfig:
    section, own = _section(prepared), prepared.config.training
    rate = section.learning_rate or own.optimiser.learning_rate
    return own.model_copy(
        update={
            "optimiser": own.optimiser.model_copy(update={"learning_rate": rate}),
            "num_epochs": section.num_epochs,
            # For whoever watches: an evaluation here decides nothing.
            "evaluate_every_epochs": max(1, section.num_epochs // _NUM_TOLD),
            "patience_epochs": None,
            "keep": "last",
        }
    )


def _problem(prepared: Prepared) -> Problem:
    assert prepared.other is not None
    corpus, clips = prepared.other.corpus, prepared.other.clips
    # The loop wants something to evaluate on; nothing is chosen by it.
    watched = clips[:_MOST_WATCHED]
    return Problem(
        corpus=corpus,
        split=Split(clips, watched, watched),
        labelled=clips,
        unlabelled=np.zeros(0, np.int64),
        normalisation=prepared.config.normalisation,
        augmentation=prepared.config.augmentation,
        model=prepared.config.model,
    )
