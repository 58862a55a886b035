"""Semi-supervised evaluation: fine-tune an encoder on a share of the labels (SSL-SLR, table 3)."""

from __future__ import annotations

from typing import Any

from slr_ray.evaluation.metrics import measure
from slr_ray.methods.encoder_evaluation import ClassificationRecord
from slr_ray.methods.experiment import Experiment, experiment, problem, stage_facts
from slr_ray.methods.pretraining import initial_encoder
from slr_ray.methods.sslr import OnEpoch, Setting, rounds
from slr_ray.training.devices import Place
from slr_ray.training.prediction import predict
from slr_ray.training.stages import StageStore


def from_scratch(config: Experiment) -> Experiment:
    """The same experiment, model and training without the encoder's weights."""
    tree: dict[str, Any] = config.model_dump(mode="json")
    return experiment({**tree, "initialisation": {"kind": "fresh"}}, "fine-tuning")


def fine_tune(
    config: Experiment,
    seed: int,
    stages: StageStore,
    place: Place,
    on_epoch: OnEpoch | None = None,
) -> ClassificationRecord:
    """Train encoder and classifier on the labelled pool; the epoch is chosen on validation.

    One supervised round of the method (no pseudo-labels), so that a stage that is there already is
    not trained again. Measured once on the test set.
    """
    own = problem(config, seed)
    setting = Setting(
        problem=own,
        training=config.training,
        method=config.rounds,
        seed=seed,
        facts=stage_facts(config),
        stages=stages,
        place=place,
        on_epoch=on_epoch,
        encoder=initial_encoder(config, seed, stages, place),
    )
    finished = next(rounds(setting))
    model = own.new_model().to(place.device)
    model.load_state_dict(finished.model_state)
    probabilities = predict(
        model,
        own.corpus,
        own.split.test,
        normalisation=own.normalisation,
        max_frames=config.training.max_frames,
        device=place.device,
        precision=config.training.precision,
    )
    return ClassificationRecord(
        setting=f"{finished.record.num_steps} steps",
        validation=finished.record.validation,
        test=measure(probabilities, own.glosses(own.split.test)),
    )
