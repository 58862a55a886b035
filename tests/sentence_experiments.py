"""Small experiments on few embedded sentences, for trainings of a second."""

from __future__ import annotations

from typing import Any

import torch

from slr_ray.config import merge
from slr_ray.experiment.consistency_config import SentenceConsistencyConfig
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.records.stages import Checkpoint
from slr_ray.training.loop import train
from slr_ray.training.problem import labelled_set
from slr_ray.training.round import Round, Trained
from slr_ray.workers.place import this_place

SENTENCES: dict[str, Any] = {
    "task": "continuous",
    "data": {
        "kind": "embedded_sentences",
        "num_glosses": 5,
        "num_sentences": 12,
        "num_signers": 6,
        "signer_coverage": 0.5,
        "seed": 1,
    },
    "model": {"width": 16, "part_width": 8},
    "training": {"num_epochs": 3, "steps_per_epoch": 2, "batch_size": 4},
    "sentences": {"dplr": {"source": "refined", "start_epoch": 1}},
}


def sentence_experiment(**changes: Any) -> Experiment:
    return build_experiment(merge(SENTENCES, changes), "test")


def opened_sentences(**changes: Any) -> Prepared:
    return Opener().prepare(sentence_experiment(**changes))


def train_once(config: Experiment, checkpoint: Checkpoint | None = None) -> Trained:
    """One supervised round, with unlabelled sentences in its steps where the method has them."""
    problem = Opener().prepare(config).problem(0)
    torch.manual_seed(0)
    method = config.method
    stream = method if isinstance(method, SentenceConsistencyConfig) else None
    round_ = Round(0, 0, labelled_set(problem), stream=stream)
    model = problem.new_recogniser()
    return train(model, problem, config.training, round_, this_place(), checkpoint=checkpoint)
