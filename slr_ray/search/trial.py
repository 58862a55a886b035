"""One trial: the rounds of one setting on every draw of the search, in whatever process runs it."""

from __future__ import annotations

import contextlib
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from slr_ray.errors import StorageError
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.methods.sslr import FinishedRound, rounds, seed_record
from slr_ray.records.measured import SeedRecord
from slr_ray.records.run_folder import TrialFolder, trial_name
from slr_ray.records.runs import TrialRecord
from slr_ray.search.context import RunContext
from slr_ray.workers.execution import Report
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class TrialTask:
    """What a process needs to run a trial."""

    context: RunContext
    number: int
    config: Experiment
    params: dict[str, Any]
    source: str
    opener: Opener = field(default_factory=Opener, compare=False)
    """Of the process: what trials have in common is opened once."""

    @property
    def folder(self) -> TrialFolder:
        return self.context.folder.trial(self.number)

    def run(self, place: Place, report: Report) -> None:
        """Run the trial; progress, result or error go to its folder. Errors are raised again."""
        if place.leads:
            # Of an earlier try.
            self.folder.clear_error()
        try:
            self._run(place, report)
        except Exception as error:
            if place.leads:
                told = f"{type(error).__name__}: {error}"
                # Where the disk is full, or the storage lost, the reason is told all the same.
                with contextlib.suppress(OSError, StorageError):
                    self.folder.write_error(told, traceback.format_exc())
            raise

    def _run(self, place: Place, report: Report) -> None:
        started = time.monotonic()
        if place.leads:
            self.folder.write_config(self.config)
        metric = self.context.metric
        stages = self.context.stages(trial_name(self.number))
        runs = [
            _Rounds(
                prepare_seed(self.opener.prepare(one.of(self.config)), one.seed, stages, place),
                one.fold,
            )
            for one in self.context.search_draws
        ]
        while True:
            for one in runs:
                one.advance()
            done = all(one.ended for one in runs)
            value = sum(one.best(metric) for one in runs) / len(runs)
            record = self._record(runs, value, time.monotonic() - started, done=done)
            if place.leads:
                self.folder.write_progress(record)
            last = max(runs, key=lambda one: len(one.done))
            report(
                {
                    metric: value,
                    "round": len(last.done) - 1,
                    # Not "done", by which Tune ends trials itself.
                    "is_last": done,
                    "reused": all(one.done[-1].record.reused for one in runs),
                    "trial_wall_s": record.wall_s,
                }
            )
            if done:
                return

    def _record(
        self, runs: list[_Rounds], value: float, wall_s: float, *, done: bool
    ) -> TrialRecord:
        seeds = [one.record() for one in runs]
        return TrialRecord(
            number=self.number,
            status="complete" if done else "running",
            params=self.params,
            value=value,
            seeds=seeds,
            error=None,
            wall_s=wall_s,
            training_s=fresh_training_s(seeds),
            source="start_from" if self.source == "start_from" else "searched",
        )


@dataclass
class _Rounds:
    """The rounds of one draw, one at a time."""

    run: SeedRun
    fold: int | None
    done: list[FinishedRound] = field(default_factory=list)
    ended: bool = False

    def __post_init__(self) -> None:
        self._rounds = rounds(self.run)

    def advance(self) -> None:
        if self.ended:
            return
        finished = next(self._rounds, None)
        if finished is None:
            self.ended = True
            return
        self.done.append(finished)
        self.ended = len(self.done) > self.run.method.num_rounds

    def best(self, metric: str) -> float:
        return max(float(getattr(one.record.validation, metric)) for one in self.done)

    def record(self) -> SeedRecord:
        return seed_record(self.run, self.done).model_copy(update={"fold": self.fold})


def fresh_training_s(seeds: list[SeedRecord]) -> float:
    """Time spent in training, without the stages that were only read."""
    return float(sum(one.training_s for seed in seeds for one in seed.rounds if not one.reused))
