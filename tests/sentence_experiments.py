"""Small experiments on few embedded sentences, for trainings of a second."""

from __future__ import annotations

from typing import Any

from slr_ray.config import merge
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared

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
