"""One trial: the rounds of one setting on every search seed, in whatever process runs it."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from typing import Any

import yaml

from slr_ray.experiment.experiment import Experiment, experiment
from slr_ray.methods.setting import setting
from slr_ray.methods.sslr import FinishedRound, Setting, rounds, seed_record
from slr_ray.records.typed import SeedRecord, TrialRecord
from slr_ray.search.job import Job, trial_folder, trial_name
from slr_ray.search.space import Tree
from slr_ray.workers.execution import Report
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class TrialTask:
    """What a process needs to run a trial."""

    job: Job
    number: int
    tree: Tree
    params: dict[str, Any]
    source: str

    def run(self, place: Place, report: Report) -> None:
        """Run the trial; progress, result or error go to its folder. Errors are raised again."""
        if place.leads:
            # Of an earlier try: should this one be killed, that was not the reason.
            self.job.store.delete(f"{trial_folder(self.number)}/error.json")
        try:
            self._run(place, report)
        except Exception as error:
            if place.leads:
                self.job.store.write_json(
                    f"{trial_folder(self.number)}/error.json",
                    {
                        "error": f"{type(error).__name__}: {error}",
                        "traceback": traceback.format_exc(),
                    },
                )
            raise

    def _run(self, place: Place, report: Report) -> None:
        started = time.monotonic()
        config = experiment(self.tree, f"trial {self.number}")
        if place.leads:
            write_config(self.job, trial_folder(self.number), config)
        runs = [
            _SeedRun(setting(config, seed, self.job.stages(self._owner), place))
            for seed in self.job.search_seeds
        ]
        while True:
            for run in runs:
                run.advance()
            done = all(run.ended for run in runs)
            value = sum(run.best(self.job.metric) for run in runs) / len(runs)
            round_ = max(len(run.done) for run in runs) - 1
            record = self._record(runs, value, time.monotonic() - started, done=done)
            if place.leads:
                self.job.store.write_bytes(
                    f"{trial_folder(self.number)}/progress.json",
                    record.model_dump_json(indent=1).encode(),
                )
            report(
                {
                    self.job.metric: value,
                    "round": round_,
                    "training_s": record.training_s,
                    "trial_wall_s": record.wall_s,
                    "number": self.number,
                }
            )
            if done:
                return

    @property
    def _owner(self) -> str:
        return trial_name(self.number)

    def _record(
        self, runs: list[_SeedRun], value: float, wall_s: float, *, done: bool
    ) -> TrialRecord:
        seeds = [run.record() for run in runs]
        return TrialRecord(
            number=self.number,
            status="complete" if done else "running",
            params=self.params,
            value=value,
            seeds=seeds,
            error=None,
            wall_s=wall_s,
            training_s=fresh_training_s(seeds),
            source="published" if self.source == "published" else "searched",
        )


@dataclass
class _SeedRun:
    setting: Setting
    done: list[FinishedRound] = field(default_factory=list)
    ended: bool = False

    def __post_init__(self) -> None:
        self._rounds = rounds(self.setting)

    def advance(self) -> None:
        if self.ended:
            return
        finished = next(self._rounds, None)
        if finished is None:
            self.ended = True
            return
        self.done.append(finished)
        self.ended = len(self.done) > self.setting.method.num_rounds

    def best(self, metric: str) -> float:
        return max(float(getattr(one.record.validation, metric)) for one in self.done)

    def record(self) -> SeedRecord:
        return seed_record(self.setting, self.done)


def fresh_training_s(seeds: list[SeedRecord]) -> float:
    """Time spent in training, without the stages that were only read."""
    return sum(one.training_s for seed in seeds for one in seed.rounds if not one.reused)


def write_config(job: Job, folder: str, config: Experiment) -> None:
    """The resolved configuration, usable with `python -m slr_ray.train --config`."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    job.store.write_bytes(f"{folder}/config.yaml", text.encode())
