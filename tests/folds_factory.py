"""Believable records of a search in folds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import record_factory as factory

from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import ArmRecord, TrialRecord
from slr_ray.reporting.run import Run, load_run
from slr_ray.search.comparison.pooled_arm import pooled_arm


def fold_record(arm: str, seed: int, fold: int) -> ArmRecord:
    """Rounds of fold 1 take twice the steps and the time of fold 0's; seed 1 finds round 0."""
    record = factory.arm_record(arm, seed, 0.6)
    if record.trained is None:
        return record
    taken: dict[str, Any] = {"num_steps": 100 * (fold + 1), "training_s": 10.0 * (fold + 1)}
    rounds = [
        one.model_copy(update={**taken, "reused": seed == 1 and one.round == 0})
        for one in record.trained.rounds
    ]
    sums = {name: len(rounds) * value for name, value in taken.items()}
    trained = record.trained.model_copy(update={"rounds": rounds})
    return record.model_copy(update={**sums, "trained": trained})


def in_folds(tmp_path: Path, trials: Sequence[TrialRecord] = ()) -> Run:
    """Three arms in two folds on two seeds."""
    factory.write_run(str(tmp_path), {}, [*trials], num_folds=2, final_seeds=[0, 1])
    folder = RunFolder(str(tmp_path))
    for arm, seed in itertools.product(("fsl", "sslr_best", "nearest_neighbour"), (0, 1)):
        folds = [fold_record(arm, seed, fold) for fold in (0, 1)]
        for fold, one in enumerate(folds):
            folder.arm(arm, seed, fold).write_record(one)
        figures = {name: getattr(folds[0], name) for name in ("validation", "test", "f1_per_gloss")}
        folder.arm(arm, seed).write_record(pooled_arm(folds, **figures))
    return load_run(str(tmp_path))
