"""The search on Ray Tune: our study as searcher and scheduler, one actor reused by many trials."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray import tune
from ray.tune import FailureConfig, RunConfig, TuneConfig, Tuner

from slr_ray.experiment.opener import Opener
from slr_ray.records.run_folder import trial_name
from slr_ray.search.context import RunContext
from slr_ray.search.endings import settle_unfinished
from slr_ray.search.history.journal import Journal
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.listeners import RunListener
from slr_ray.search.searcher import Build, StudyScheduler, StudySearcher, Trouble, TuneEvents
from slr_ray.search.trial import TrialTask
from slr_ray.workers.execution import Workers, run_here, run_on_workers


@dataclass(frozen=True)
class TuneLimits:
    """How much the search may do."""

    num_trials: int
    time_budget_s: float | None
    max_failures: int
    """Restarts that one trial gets before it counts as failed."""
    max_concurrent: int | None


def search(
    context: RunContext,
    study: SearchStudy,
    journal: Journal,
    build: Build,
    limits: TuneLimits,
    workers: Workers,
    listener: RunListener,
    attempt: int,
) -> None:
    """Run trials until `num_trials` are finished or the time is up. Ray must be running.

    Raises `KeyboardInterrupt` where Tune stopped for another reason: on Ctrl-C, and on SIGUSR1,
    which batch systems send ahead of their limit, it returns as if all were done.
    """
    folder = context.folder
    settle_unfinished({one: folder.trial(one) for one in study.unfinished()}, study)
    remaining = limits.num_trials - study.num_finished()
    if remaining <= 0:
        return
    has_budget = limits.time_budget_s is not None
    trouble = Trouble()
    searcher = StudySearcher(
        context, study, build, journal, listener, remaining, trouble, has_budget=has_budget
    )
    with_resources = tune.with_resources(
        _trainable(context, workers), tune.PlacementGroupFactory(workers.bundles())
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
            scheduler=StudyScheduler(context.metric, study, trouble),
            num_samples=remaining,
            max_concurrent_trials=_at_once(limits, workers),
            time_budget_s=limits.time_budget_s,
            reuse_actors=workers.num_workers == 1,
            trial_dirname_creator=_ray_name,
            trial_name_creator=_ray_name,
        ),
        run_config=RunConfig(
            name=f"attempt_{attempt}",
            storage_path=folder.ray.plain_location,
            failure_config=FailureConfig(max_failures=limits.max_failures),
            callbacks=[TuneEvents(context, listener, trouble)],
            verbose=0,
        ),
    )
    # A failed trial is in the table with its reason; Ray would print its traceback on top.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    started = time.monotonic()
    stopped = _stopped(tuner)
    if trouble.error is not None:
        raise trouble.error
    if stopped:
        raise KeyboardInterrupt
    if study.num_finished() < limits.num_trials:
        if limits.time_budget_s is None or time.monotonic() - started < limits.time_budget_s:
            raise KeyboardInterrupt
        for number in searcher.without_record():
            # It stays unfinished: should the run be killed before its end, --resume takes it up.
            listener.cut_off(number)


def _stopped(tuner: Tuner) -> bool:
    """Run the search; whether Ctrl-C, SIGTERM or SIGUSR1 came meanwhile.

    Tune leaves its handlers behind, so that the next Ctrl-C would be swallowed. It takes that of
    Ctrl-C back only when a signal came, however late: that is what tells.
    """
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGUSR1)}
    try:
        tuner.fit()
        return signal.getsignal(signal.SIGINT) is before[signal.SIGINT]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _at_once(limits: TuneLimits, workers: Workers) -> int | None:
    """Trials at a time; Tune finds out by itself only where trials reserve all they use."""
    if limits.max_concurrent is not None or workers.num_workers == 1:
        return limits.max_concurrent
    return workers.at_once(ray.cluster_resources())


def _ray_name(trial: Any) -> str:
    return trial_name(trial.config["number"])


def _trainable(context: RunContext, workers: Workers) -> Callable[[dict[str, Any]], None]:
    # Lives as long as the actor: what its trials have in common is opened once.
    opener = Opener()

    def run_trial(config: dict[str, Any]) -> None:
        task: TrialTask = config["task"]
        if workers.num_workers == 1:
            run_here(replace(task, opener=opener), tune.report, context.num_threads)
        else:
            name, store = trial_name(task.number), context.folder.ray.join("train")
            run_on_workers(task, context.num_threads, workers, store, name, in_trial=True)

    return run_trial
