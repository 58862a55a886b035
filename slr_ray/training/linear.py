"""A round that trains no weights but the classifier's, which has one best solution."""

from __future__ import annotations

import time

import torch
from torch import nn

from slr_ray.evaluation.linear import LinearLayer, linear_probe
from slr_ray.models.model import Model
from slr_ray.records.measured import EpochRecord
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.representation import represented_set
from slr_ray.training.round import Trained
from slr_ray.workers.place import Place


def fit_classifier(model: Model, problem: Problem, config: TrainingConfig, place: Place) -> Trained:
    """Fit `model.classifier` (in place) to the labelled pool on frozen representations.

    `ValueError` where the pool has fewer than two glosses.
    """
    started = time.monotonic()
    model.to(place.device)

    labelled, validation = (
        represented_set(
            model,
            problem,
            clips,
            max_frames=config.max_frames,
            device=place.device,
            precision=config.precision,
        )
        for clips in (problem.labelled, problem.split.validation)
    )
    probe = linear_probe(labelled, validation, problem.num_glosses)
    layer, classifier = probe.classify, model.classifier
    if not isinstance(layer, LinearLayer) or not isinstance(classifier, nn.Linear):
        raise TypeError("linear evaluation needs a linear probe and a linear classifier")
    with torch.no_grad():
        classifier.weight.copy_(torch.from_numpy(layer.weight))
        classifier.bias.copy_(torch.from_numpy(layer.bias))
    epoch = EpochRecord(
        round=0,
        epoch=0,
        num_steps=0,
        training_loss=probe.measured(labelled).loss,
        learning_rate=0.0,
        validation=probe.validation,
    )
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    return Trained(state, probe.validation, [epoch], 0, time.monotonic() - started)
