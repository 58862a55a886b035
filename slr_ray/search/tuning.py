"""The search on Ray Tune: our study as searcher and scheduler, one actor reused by many trials."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray import tune
from ray.tune import Callback, FailureConfig, RunConfig, TuneConfig, Tuner
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from slr_ray.records.typed import TrialRecord
from slr_ray.search.job import Job, trial_folder, trial_name
from slr_ray.search.journal import Journal
from slr_ray.search.live import LiveView
from slr_ray.search.study import SearchStudy
from slr_ray.search.trial import TrialTask
from slr_ray.storage import below
from slr_ray.workers.execution import Workers, run_here, run_on_workers


@dataclass(frozen=True)
class TuneLimits:
    """How much the search may do."""

    num_samples: int
    time_budget_s: float | None
    max_failures: int
    """Restarts that one trial gets before it counts as failed."""
    max_concurrent: int | None


def search(
    job: Job,
    study: SearchStudy,
    limits: TuneLimits,
    workers: Workers,
    view: LiveView,
    attempt: int,
) -> None:
    """Run trials until `num_samples` are finished or the time is up. Ray must be running.

    Raises `KeyboardInterrupt` where Tune stopped for another reason: on Ctrl-C, and on SIGUSR1,
    which batch systems send ahead of their limit, it returns as if all were done.
    """
    settle_unfinished(job, study)
    remaining = limits.num_samples - study.num_finished()
    if remaining <= 0:
        return
    has_budget = limits.time_budget_s is not None
    searcher = _StudySearcher(job, study, view, remaining, has_budget=has_budget)
    store = job.store
    with_resources = tune.with_resources(
        _trainable(job, workers), tune.PlacementGroupFactory(workers.bundles())
    )
    # Tune's own tables and loggers: the live view and our TensorBoard files stand in for them.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    # Paths mean the same in a trial as where the user typed them.
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
    tuner = Tuner(
        with_resources,
        tune_config=TuneConfig(
            search_alg=searcher,
            scheduler=_StudyScheduler(job.metric, study),
            num_samples=remaining,
            max_concurrent_trials=_at_once(limits, workers),
            time_budget_s=limits.time_budget_s,
            reuse_actors=workers.num_workers == 1,
            trial_dirname_creator=_ray_name,
            trial_name_creator=_ray_name,
        ),
        run_config=RunConfig(
            name=f"attempt_{attempt}",
            storage_path=(
                str(store.local_path("ray")) if store.is_local else below(job.location, "ray")
            ),
            failure_config=FailureConfig(max_failures=limits.max_failures),
            callbacks=[_Progress(job, view)],
            verbose=0,
        ),
    )
    # A failed trial is in the table with its reason; Ray would print its traceback on top.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    started = time.monotonic()
    tuner.fit()
    if study.num_finished() < limits.num_samples:
        if limits.time_budget_s is None or time.monotonic() - started < limits.time_budget_s:
            raise KeyboardInterrupt
        for number in searcher.without_record():
            # It stays unfinished: should the run be killed before its end, --resume takes it up.
            view.cut_off(number)


def _at_once(limits: TuneLimits, workers: Workers) -> int | None:
    """Trials at a time; Tune finds out by itself only where trials reserve all they use."""
    if limits.max_concurrent is not None or workers.num_workers == 1:
        return limits.max_concurrent
    return workers.at_once(ray.cluster_resources())


def settle_unfinished(job: Job, study: SearchStudy) -> None:
    """Tell the trials that had ended when an earlier process was killed before it told them."""
    for number in study.unfinished():
        name = f"{trial_folder(number)}/record.json"
        if job.store.exists(name):
            record = TrialRecord.model_validate_json(job.store.read_bytes(name))
            study.tell(number, record.status, record.value)


def _ray_name(trial: Any) -> str:
    return trial_name(trial.config["number"])


def _trainable(job: Job, workers: Workers) -> Callable[[dict[str, Any]], None]:
    def run_trial(config: dict[str, Any]) -> None:
        task = TrialTask(
            job=job,
            number=config["number"],
            tree=config["tree"],
            params=config["params"],
            source=config["source"],
        )
        if workers.num_workers == 1:
            run_here(task, tune.report, job.num_threads)
        else:
            name = trial_name(task.number)
            store = job.store.join("ray/train")
            run_on_workers(task, job.num_threads, workers, store, name, in_trial=True)

    return run_trial


class _StudySearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Ray's interface to our study. The study's journal is all the state there is."""

    def __init__(
        self, job: Job, study: SearchStudy, view: LiveView, remaining: int, *, has_budget: bool
    ) -> None:
        super().__init__(metric=job.metric, mode="max")
        self.has_budget = has_budget
        self.job, self.study, self.view = job, study, view
        self.journal = Journal(job.store)
        self.remaining = remaining
        self.numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if len(self.numbers) == self.remaining:
            return str(Searcher.FINISHED)
        suggestion = self.study.ask()
        self.numbers[trial_id] = suggestion.number
        self.job.store.write_json(
            f"{trial_folder(suggestion.number)}/task.json",
            {"params": suggestion.params, "source": suggestion.source},
        )
        self.journal.keep()
        self.view.started(suggestion.number, suggestion.params, suggestion.source)
        return {
            "number": suggestion.number,
            "tree": suggestion.tree,
            "params": suggestion.params,
            "source": suggestion.source,
        }

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self.numbers[trial_id]
        record = finished_record(self.job, number, error, self.study.was_pruned(number))
        if record is None and not self.has_budget:
            record = finished_record(self.job, number, True, False)
        if record is None:
            return
        # Record first: a kill between the two is settled on resume.
        content = record.model_dump_json(indent=1).encode()
        self.job.store.write_bytes(f"{trial_folder(number)}/record.json", content)
        write_board(self.job, record)
        self.study.tell(number, record.status, record.value)
        self.journal.keep()
        self.view.finished(record)

    def without_record(self) -> list[int]:
        """Trials begun by this searcher that have not ended."""
        folders = {number: trial_folder(number) for number in sorted(self.numbers.values())}
        store = self.job.store
        return [one for one, folder in folders.items() if not store.exists(f"{folder}/record.json")]

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the journal has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the journal has it."""

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its searcher beside every experiment state; ours is rebuilt from the journal.
        return {"numbers": self.numbers}


class _StudyScheduler(FIFOScheduler):  # type: ignore[misc]  # Ray ships no types
    """Early stopping as the study decides it, so that its history has every decision."""

    def __init__(self, metric: str, study: SearchStudy) -> None:
        super().__init__()
        self._by = metric
        self._study = study

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        round_ = result["round"]
        # Round 0 is the same for trials that share it: nothing to tell them apart by.
        if round_ > 0 and self._study.should_prune(
            trial.config["number"], round_, result[self._by]
        ):
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Progress(Callback):  # type: ignore[misc]  # Ray ships no types
    """Feeds the live view."""

    def __init__(self, job: Job, view: LiveView) -> None:
        self._job, self._view = job, view

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any
    ) -> None:
        self._view.progressed(trial.config["number"], result)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        number = trial.config["number"]
        self._view.restarted(number, _why_it_ended(self._job, number))

    def __getstate__(self) -> dict[str, Any]:
        return {}


def finished_record(job: Job, number: int, error: bool, pruned: bool) -> TrialRecord | None:
    """The record of a trial that ended; None where it stopped without an end of its own."""
    folder = trial_folder(number)
    store = job.store
    progress = None
    if store.exists(f"{folder}/progress.json"):
        progress = TrialRecord.model_validate_json(store.read_bytes(f"{folder}/progress.json"))
    if error:
        return _failed(job, number, progress)
    if progress is None:
        return None
    if pruned:
        return progress.model_copy(update={"status": "pruned"})
    return progress if progress.status == "complete" else None


def _failed(job: Job, number: int, progress: TrialRecord | None) -> TrialRecord:
    given = job.store.read_json(f"{trial_folder(number)}/task.json")
    return TrialRecord(
        number=number,
        status="failed",
        params=given["params"],
        value=None,
        seeds=progress.seeds if progress else [],
        error=_why_it_ended(job, number),
        wall_s=progress.wall_s if progress else 0.0,
        training_s=progress.training_s if progress else 0.0,
        source=given["source"],
    )


def _why_it_ended(job: Job, number: int) -> str:
    """The error that a trial left; a process that was killed leaves none."""
    name = f"{trial_folder(number)}/error.json"
    if job.store.exists(name):
        return str(job.store.read_json(name)["error"])
    return "its process died: killed, out of memory or its node was lost"


def write_board(job: Job, record: TrialRecord) -> None:
    """The trial's TensorBoard files."""
    from slr_ray.reporting.board import board, write_curves, write_hparams

    with board(job.store, trial_name(record.number)) as writer:
        write_curves(writer, record.seeds)
        if record.value is not None:
            last = max(len(seed.rounds) for seed in record.seeds) - 1
            write_hparams(writer, record.params, {job.metric: record.value}, last)
