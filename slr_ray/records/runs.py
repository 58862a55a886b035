"""What a search leaves behind, as typed records. Reports read these and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from slr_ray.config import Record
from slr_ray.records.measured import MeasuredRecord, SeedRecord


class TrialRecord(Record):
    number: int
    status: Literal["complete", "pruned", "failed", "running"]
    """`running` only in a trial's progress.json, never in its record.json."""
    params: dict[str, Any]
    """Searched values by dotted path: the same names as command-line overrides."""
    value: float | None
    """The search's metric, mean over seeds; None when failed."""
    seeds: list[SeedRecord]
    error: str | None
    wall_s: float
    """From the trial's start to its end, in its process; of its last try: the log has all."""
    training_s: float
    """Of it, in the training loop; the rest is predicting the pool, waiting and records."""
    source: Literal["start_from", "searched"]
    """Whether the setting was given by the space to be tried first, or suggested."""

    def value_in(self, fold: int, metric: str) -> float:
        """The mean over the draws of one fold: its own validation, and no other fold's."""
        own = [one for one in self.seeds if one.fold == fold]
        values = [getattr(one.rounds[one.best_round].validation, metric) for one in own]
        return float(sum(values) / len(values))


def best_trial(
    trials: Sequence[TrialRecord], metric: str, fold: int | None = None
) -> TrialRecord | None:
    """The complete trial that validated best, of all draws or of a fold's; the earlier of equals.

    A fold's choice is its own: its test clips, which validate and train in other folds, then chose
    nothing of what is measured on them, beyond which settings the search came to try.
    """
    complete = [one for one in trials if one.status == "complete" and one.value is not None]

    def value(trial: TrialRecord) -> float:
        return (trial.value or 0.0) if fold is None else trial.value_in(fold, metric)

    return max(complete, key=lambda one: (value(one), -one.number), default=None)


class ArmRecord(MeasuredRecord):
    """One arm of the final comparison with one seed."""

    arm: str


class Arm(Record):
    """What the final comparison compares."""

    name: str
    title: str
    """For tables and figures."""


class RunRecord(Record):
    name: str
    created: str
    """ISO 8601 with time zone."""
    command: list[str]
    base_config: dict[str, Any]
    space: dict[str, Any]
    metric: str
    objectives: list[str] = Field(default_factory=list)
    """The metric and what else trials were to be good in; empty with the metric alone."""
    constraints: dict[str, float] = Field(default_factory=dict)
    """Limits by figure, see `records/goals.py`."""
    num_trials: int
    search_seeds: list[int]
    final_seeds: list[int]
    num_folds: int | None = None
    """Of the cross-validation that every seed goes through; None with one split."""
    arms: list[Arm]
    """Of the final comparison, in the order of every table and figure."""
    glosses: list[str]
    corpus: str
    fingerprint: str
    initialisation: str | None = None
    """A digest of what training may start from: encoders, other data; None in older records."""
    provenance: list[dict[str, Any]]
    num_skipped_clips: int
    split: dict[str, Any]
    """Counts of clips and names of signers in training, validation and test."""
    environment: dict[str, Any]
    """Python, platform, CPU, GPU, package versions, git commit."""
    chosen: list[int] | None = None
    """The trial that the final comparison measures, in the order of folds; None before it begins.
    From then on no trial is run: another one might look better, and the test set is in use."""
    finished: str | None
    """When the final comparison was complete; None while running."""
    wall_s: float | None
    """Of all starts of the command."""
    price_per_hour: float | None = None
    """Of a GPU; where trials take none, of a processor."""
