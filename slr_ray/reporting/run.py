"""A run read back from its records, and what is still missing from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pyarrow import ArrowException

from slr_ray.documents.document import Figure
from slr_ray.errors import DataError
from slr_ray.evaluation.people import PeopleCounts, SignerCounts
from slr_ray.records.goals import MEASURED, TITLES, Goals, smaller_is_better
from slr_ray.records.measured import SeedRecord, SentenceMetrics
from slr_ray.records.run_folder import ResultFolder, RunFolder, TrialFolder
from slr_ray.records.runs import ArmRecord, RunRecord, TrialRecord
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.people import SentenceCounts

METRIC_NAMES = {name: TITLES[name] for name in MEASURED}


@dataclass(frozen=True)
class Best:
    """What a run hands out: the best trial, trained again with the seed that validated best."""

    config: dict[str, Any]
    """Every setting, as `python -m slr_ray.train --config` reads it."""
    checkpoint: str
    """The file or URI that `Recogniser.load` reads, of sentences `SentenceRecogniser.load`."""
    seed: int


@dataclass(frozen=True)
class Run:
    """The records of one run; `trials` by number, `arms` in the order of the record and of seeds.

    >>> run = slr_ray.load_run(run_folder)
    >>> run.state, len(run.trials), run.ranked[0].status
    ('Finished', 24, 'complete')
    >>> sorted(run.test_values("sslr_best", "accuracy"))
    [0, 1, 2, 3, 4]
    >>> run.figure("arms").save(folder / "arms.svg")
    """

    folder: RunFolder
    record: RunRecord
    trials: list[TrialRecord]
    arms: list[ArmRecord]
    best: Best | None = None
    """None before the final comparison has ended."""
    counts: Mapping[tuple[str, int], PeopleCounts] = field(default_factory=dict)
    """By arm and seed, what it got right of whom; empty for runs of earlier versions."""
    answers: Mapping[tuple[str, int], Sequence[SentencePrediction]] = field(default_factory=dict)
    """By arm and seed, what it said of each test sentence; empty for isolated signs."""
    folds: Mapping[int, Sequence[ArmRecord]] = field(default_factory=dict)
    """By fold, each arm's records there, which `arms` hold together; empty with one split."""

    @property
    def location(self) -> str:
        return self.folder.location

    @property
    def titles(self) -> dict[str, str]:
        """What tables and figures call the arms, in their order."""
        return {one.name: one.title for one in self.record.arms}

    @property
    def series(self) -> dict[str, int]:
        """The colour of each arm, the same in every figure."""
        return {name: index for index, name in enumerate(self.titles)}

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """The report's figures by name."""
        from slr_ray.reporting.report import build_document

        return {one.name: one for one in build_document(self).figures()}

    def figure(self, name: str) -> Figure:
        """One of the report's figures, which notebooks draw; `DataError` lists what there is."""
        if name not in self.figures:
            there = ", ".join(self.figures)
            raise DataError(f"{self.location} has no figure {name!r}; there are {there}")
        return self.figures[name]

    @property
    def metric(self) -> str:
        """The field of `Metrics` that the search looked at, without a prefix such as validation."""
        field = self.record.metric.replace("/", ".").rsplit(".", 1)[-1]
        return field if field in METRIC_NAMES else "accuracy"

    @property
    def of_sentences(self) -> bool:
        """Whether clips are sentences, which have word errors."""
        return self.metric in ("gloss_accuracy", "wer")

    @property
    def headline_metric(self) -> str:
        """The test-set metric of the verdict: the search's where it is a share of clips."""
        if self.of_sentences:
            return "gloss_accuracy"
        return self.metric if self.metric in ("balanced_accuracy", "macro_f1") else "accuracy"

    @property
    def test_metrics(self) -> tuple[str, ...]:
        """What is told of every arm."""
        if self.of_sentences:
            return ("wer",)
        return ("accuracy", "top5_accuracy", "balanced_accuracy", "macro_f1")

    @property
    def compared_metrics(self) -> tuple[str, ...]:
        """What arms are compared by."""
        if self.of_sentences:
            return (self.headline_metric,)
        return ("accuracy", "balanced_accuracy", "macro_f1")

    @property
    def lower_is_better(self) -> bool:
        return smaller_is_better(self.metric)

    @cached_property
    def goals(self) -> Goals:
        """Objectives, the metric first, and limits."""
        return Goals.of(self.record)

    @property
    def also_shown(self) -> list[str]:
        """The figures of a trial that are asked for beside the metric."""
        return [name for name in self.goals.figures if name != self.metric]

    @property
    def front(self) -> list[TrialRecord]:
        """Trials that no other one beats in every objective, best first."""
        return self.goals.front(self.ranked)

    @property
    def ranked(self) -> list[TrialRecord]:
        """Complete trials with a finite value, best first; those that break a limit behind all."""
        usable = [
            trial
            for trial in self.trials
            if trial.status == "complete" and trial.value is not None and math.isfinite(trial.value)
        ]
        sign = 1.0 if self.lower_is_better else -1.0
        return sorted(
            usable,
            key=lambda one: (not self.goals.kept(one), sign * (one.value or 0.0), one.number),
        )

    @property
    def winner(self) -> TrialRecord | None:
        """The best trial within the limits, over all folds; `no_winner` says why there is none.

        Which trial each fold took, and which one is under `best/`: `trials/winners.py`.
        """
        return next((one for one in self.ranked if self.goals.kept(one)), None)

    @property
    def no_winner(self) -> str:
        """Why no trial is best, in words."""
        outside = next(iter(self.ranked), None)
        return "no trial is complete" if outside is None else self.goals.beyond_text(outside)

    def arm(self, name: str) -> list[ArmRecord]:
        return [record for record in self.arms if record.arm == name]

    @property
    def arm_names(self) -> list[str]:
        """The arms that have at least one seed."""
        present = {record.arm for record in self.arms}
        return [name for name in self.titles if name in present]

    @property
    def single_arms(self) -> list[tuple[int | None, ArmRecord]]:
        """Every record of one training and its fold: `arms`, or with folds those of each."""
        found = [(fold, one) for fold, records in self.folds.items() for one in records]
        return [*found] or [(None, one) for one in self.arms]

    def trainings(self, arm: str) -> list[SeedRecord]:
        """What an arm trained, fold by fold where there are any; the nearest neighbour nothing."""
        return [
            one.trained.model_copy(update={"fold": fold})
            for fold, one in self.single_arms
            if one.arm == arm and one.trained is not None
        ]

    @property
    def repeats(self) -> str:
        """What means are over: seeds, or trainings where a seed has one in several folds."""
        return "trainings" if self.record.num_folds else "seeds"

    def test_values(self, arm: str, metric: str) -> dict[int, float]:
        """One arm's test-set metric by seed."""
        return {record.seed: float(getattr(record.test, metric)) for record in self.arm(arm)}

    def people(self, arm: str, other: str | None = None) -> list[PeopleCounts]:
        """An arm's counts on its seeds, or on those that another arm has, too; none where one lacks
        them.
        """
        seeds = {one.seed for one in self.arm(arm)}
        if other is not None:
            seeds &= {one.seed for one in self.arm(other)}
        found = [self.counts.get((arm, seed)) for seed in sorted(seeds)]
        known = [one for one in found if one is not None]
        return known if len(known) == len(found) else []

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
        for name, title in self.titles.items():
            have = {record.seed for record in self.arm(name)}
            absent = [str(seed) for seed in self.record.final_seeds if seed not in have]
            if absent:
                lacks.append(f"{title}: no test result for seed {', '.join(absent)}.")
        if unfinished:
            lacks.append("The run has not recorded its end: it is still going or was stopped.")
        return lacks


def load_run(location: str | Path) -> Run:
    """Read the run in a folder or behind a URI.

    >>> slr_ray.load_run(run_folder).record.metric
    'accuracy'

    `DataError` when there is no run or when a record is broken; an unfinished run loads, and
    `Run.missing` says what it lacks.
    """
    folder = RunFolder(str(location))
    try:
        record = folder.read_run()
        # A thousand small objects behind a URI take minutes one after the other.
        with ThreadPoolExecutor(max_workers=8) as pool:
            trials = list(pool.map(TrialFolder.trial, folder.trials()))
            folders = folder.arms()
            arms = list(pool.map(ResultFolder.arm, folders))
            answered = list(pool.map(_answered, arms, folders))
            folds = {
                fold: list(pool.map(ResultFolder.arm, folder.fold_arms(fold)))
                for fold in range(record.num_folds or 0)
            }
        seed, best = folder.best_seed(), None
        if seed is not None:
            best = Best(folder.best.read_config(), folder.best.checkpoint_location, seed)
    except (OSError, ArrowException) as error:
        raise DataError(f"cannot read the run at {folder.location}: {error}") from None
    order = [one.name for one in record.arms]

    def sorted_arms(found: Sequence[ArmRecord]) -> list[ArmRecord]:
        known = [one for one in found if one.arm in order]
        return sorted(known, key=lambda one: (order.index(one.arm), one.seed))

    return Run(
        folder=folder,
        record=record,
        trials=sorted(trials, key=lambda trial: trial.number),
        arms=sorted_arms(arms),
        best=best,
        counts={
            (arm.arm, arm.seed): counts
            for arm, (counts, _) in zip(arms, answered, strict=True)
            if counts is not None
        },
        answers={
            (arm.arm, arm.seed): said for arm, (_, said) in zip(arms, answered, strict=True) if said
        },
        folds={fold: sorted_arms(found) for fold, found in folds.items()},
    )


def _answered(
    arm: ArmRecord, folder: ResultFolder
) -> tuple[PeopleCounts | None, list[SentencePrediction]]:
    """What it got right of whom, None where no answers are kept; and what it said of sentences."""
    if isinstance(arm.test, SentenceMetrics):
        said = folder.sentence_predictions()
        return SentenceCounts.of(said), said
    if not folder.has_predictions():
        return None, []
    return SignerCounts.of(folder.predictions()), []
