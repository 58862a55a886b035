"""A run read back from its records, and what is still missing from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from pyarrow import ArrowException

from slr_ray.config import Record, build
from slr_ray.errors import ConfigError, DataError
from slr_ray.records.typed import ArmRecord, Metrics, RunRecord, TrialRecord
from slr_ray.storage import Store, below

ARM_NAMES = {
    "fsl": "Fully supervised (FSL)",
    "fsl_equal_steps": "FSL, equal steps",
    "sslr_default": "Published default",
    "sslr_best": "Best trial",
    "nearest_neighbour": "Nearest neighbour",
}
"""In the order of every table and figure."""

EXPECTED_ARMS = ("fsl", "fsl_equal_steps", "sslr_default", "sslr_best")

METRIC_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "top5_accuracy": "top-5 accuracy",
    "calibration_error": "calibration error",
    "loss": "loss",
}

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Run:
    """The records of one run; `trials` by number, `arms` in the order of `ARM_NAMES` and seeds."""

    location: str
    record: RunRecord
    trials: list[TrialRecord]
    arms: list[ArmRecord]
    best_seed: int | None = None
    """Of the checkpoint under `best/`; None where there is none."""

    @property
    def metric(self) -> str:
        """The field of `Metrics` that the search looked at, without a prefix such as validation."""
        field = self.record.metric.replace("/", ".").rsplit(".", 1)[-1]
        return field if field in Metrics.model_fields else "accuracy"

    @property
    def headline_metric(self) -> str:
        """The test-set metric of the verdict: the search's where it is a share of clips."""
        return self.metric if self.metric in ("balanced_accuracy", "macro_f1") else "accuracy"

    @property
    def lower_is_better(self) -> bool:
        return self.metric in ("loss", "calibration_error")

    @property
    def ranked(self) -> list[TrialRecord]:
        """Complete trials with a finite value, best first."""
        usable = [
            trial
            for trial in self.trials
            if trial.status == "complete" and trial.value is not None and math.isfinite(trial.value)
        ]
        sign = 1.0 if self.lower_is_better else -1.0
        return sorted(usable, key=lambda trial: (sign * (trial.value or 0.0), trial.number))

    def arm(self, name: str) -> list[ArmRecord]:
        return [record for record in self.arms if record.arm == name]

    @property
    def arm_names(self) -> list[str]:
        """The arms that have at least one seed."""
        present = {record.arm for record in self.arms}
        return [name for name in ARM_NAMES if name in present]

    def test_values(self, arm: str, metric: str) -> dict[int, float]:
        """One arm's test-set metric by seed."""
        return {record.seed: float(getattr(record.test, metric)) for record in self.arm(arm)}

    @property
    def state(self) -> str:
        """For reading: Unfinished, Incomplete (ended, but results are missing) or Finished."""
        if self.record.finished is None:
            return "Unfinished"
        return "Incomplete" if self.missing else "Finished"

    @property
    def missing(self) -> list[str]:
        """What an unfinished run still lacks, one sentence each; empty when nothing does."""
        lacks = []
        unfinished = self.record.finished is None
        # A search that ended may have fewer trials on purpose: it had a time limit.
        if unfinished and len(self.trials) < self.record.num_trials:
            lacks.append(f"{len(self.trials)} of {self.record.num_trials} trials have ended.")
        for name in EXPECTED_ARMS:
            have = {record.seed for record in self.arm(name)}
            absent = [str(seed) for seed in self.record.final_seeds if seed not in have]
            if absent:
                lacks.append(f"{ARM_NAMES[name]}: no test result for seed {', '.join(absent)}.")
        if unfinished:
            lacks.append("The run has not recorded its end: it is still going or was stopped.")
        return lacks


def load_run(location: str) -> Run:
    """Read the run in a folder or behind a URI.

    `DataError` when there is no run or when a record is broken; an unfinished run loads, and
    `Run.missing` says what it lacks.
    """
    store = Store(location)
    try:
        if not store.exists("run.json"):
            raise DataError(
                f"{location} is no run: it has no run.json; "
                "give the folder that slr_ray.tune printed as its result"
            )
        record = _read(store, "run.json", RunRecord)
        trials = _read_all(store, _records(store, "trials"), TrialRecord)
        arms = _read_all(store, _records(store, "final"), ArmRecord)
        chosen = "best/seed.json"
        best_seed = store.read_json(chosen)["seed"] if store.exists(chosen) else None
    except (OSError, ArrowException) as error:
        raise DataError(f"cannot read the run at {location}: {error}") from None
    order = list(ARM_NAMES)
    return Run(
        location=location,
        record=record,
        trials=sorted(trials, key=lambda trial: trial.number),
        arms=sorted(arms, key=lambda arm: (order.index(arm.arm), arm.seed)),
        best_seed=best_seed,
    )


def _records(store: Store, folder: str) -> list[str]:
    return [name for name in store.names(folder) if name.endswith("/record.json")]


def _read_all(store: Store, names: Iterable[str], cls: type[RecordT]) -> list[RecordT]:
    # A thousand small objects behind a URI take minutes one after the other.
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(lambda name: _read(store, name, cls), names))


def _read(store: Store, name: str, cls: type[RecordT]) -> RecordT:
    origin = below(store.location, name)
    try:
        tree = store.read_json(name)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{origin} is half-written or damaged ({error}); "
            "resume the run or remove the file's folder"
        ) from None
    if not isinstance(tree, dict):
        raise DataError(f"{origin}: expected a record, found {type(tree).__name__}")
    try:
        return build(cls, tree, origin)
    except ConfigError as error:
        raise DataError(f"not a record of this version of slr_ray: {error}") from None
