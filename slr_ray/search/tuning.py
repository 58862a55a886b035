"""The search on Ray Tune: our study as searcher and scheduler, one actor reused by many trials."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ray
from ray import tune
from ray.tune import FailureConfig, RunConfig, TuneConfig, Tuner

from slr_ray.experiment.opener import Opener
from slr_ray.records.run_folder import trial_name
from slr_ray.records.tries import Tries
from slr_ray.search.context import RunContext
from slr_ray.search.endings import Restarts, settle_unfinished
from slr_ray.search.history.journal import Journal
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.limits import SearchEnd, TuneLimits
from slr_ray.search.listeners import RunListener
from slr_ray.search.packed import Packed
from slr_ray.search.searcher import Build, StudyScheduler, StudySearcher, Trouble, TuneEvents
from slr_ray.search.trial import TrialTask
from slr_ray.workers.execution import Workers, run_here, run_on_workers
from slr_ray.workers.waiting import NodeWatch

_MOST_WAITING = 8
"""Trials that wait for nodes at a time. Each was chosen before those ahead of it had ended."""


def search(
    context: RunContext,
    study: SearchStudy,
    journal: Journal,
    build: Build,
    limits: TuneLimits,
    workers: Workers,
    listener: RunListener,
    attempt: int,
    tries: Tries,
    watch: NodeWatch | None = None,
) -> None:
    """Run trials until `num_trials` are finished or a budget is spent. Ray must be running.

    `tries` are all of the run, `listener` tells them of new ones; `watch` looks after a cluster.

    Raises `KeyboardInterrupt` where Tune stopped for another reason: on Ctrl-C, and on SIGUSR1,
    which batch systems send ahead of their limit, it returns as if all were done. Raises
    `ClusterError` where the cluster can't run trials.
    """
    folder = context.folder
    settle_unfinished({one: folder.trial(one) for one in study.unfinished()}, study)
    remaining = limits.num_trials - study.num_finished()
    if remaining <= 0:
        return
    end, trouble = SearchEnd(limits, tries, listener, watch), Trouble()
    restarts = Restarts(limits.max_failures, limits.max_lost)
    grows = watch is not None and watch.may_grow()
    has_room = _has_room(workers, grows=grows)
    searcher = StudySearcher(
        context, study, build, journal, listener, remaining, restarts, end, trouble, has_room
    )
    in_one_process = workers.num_workers == 1
    with_resources = tune.with_resources(
        _trainable(context, workers), tune.PlacementGroupFactory(workers.bundles())
    )
    # Tune's own tables and loggers: the live view and our TensorBoard files stand in for them.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    # A run resumes from the journal: Tune's own account of all trials is never read.
    os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "1e9")
    # Paths mean the same in a trial as where the user typed them.
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
    if grows:
        # Else Tune asks for one trial's node and waits for it before it asks for another's.
        most = str(limits.max_concurrent or _MOST_WAITING)
        os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", most)
    tuner = Tuner(
        with_resources,
        tune_config=TuneConfig(
            search_alg=searcher,
            scheduler=StudyScheduler(
                context.metric, study, restarts, end, trouble, ends_at_last=in_one_process
            ),
            # The searcher says when there is no more.
            num_samples=-1,
            max_concurrent_trials=limits.max_concurrent,
            reuse_actors=in_one_process,
            trial_dirname_creator=_ray_name,
            trial_name_creator=_ray_name,
        ),
        run_config=RunConfig(
            name=f"attempt_{attempt}",
            storage_path=folder.ray.plain_location,
            stop=end,
            failure_config=FailureConfig(max_failures=-1),
            callbacks=[TuneEvents(listener, restarts, end, trouble)],
            verbose=0,
        ),
    )
    # A failed trial is in the table with its reason; Ray would print its traceback on top.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    stopped = _stopped(tuner)
    if trouble.error is not None:
        raise trouble.error
    if stopped:
        raise KeyboardInterrupt
    if end.error is not None:
        raise end.error
    if study.num_finished() < limits.num_trials:
        if end.reason is None:
            raise KeyboardInterrupt
        listener.search_ended(end.reason)
        for number in searcher.without_record():
            # It stays unfinished: should the run be killed before its final comparison begins,
            # --resume takes it up.
            listener.cut_off(number, end.reason)


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


def _has_room(workers: Workers, *, grows: bool) -> Callable[[int], bool]:
    """Whether one more trial may begin beside so many others.

    With one worker Tune finds out by itself. With several the trial reserves nothing, and its
    workers may wait for ever: not more than fit, and one that makes a cluster grow.
    """
    if workers.num_workers == 1:
        return lambda _: True
    return lambda live: live < workers.at_once(ray.cluster_resources()) + grows


def _ray_name(trial: Any) -> str:
    return trial_name(trial.config["number"])


def _trainable(context: RunContext, workers: Workers) -> Callable[[dict[str, Any]], None]:
    # Lives as long as the actor: what its trials have in common is opened once.
    opener = Opener()

    def run_trial(config: dict[str, Any]) -> None:
        packed: Packed[TrialTask] = config["task"]
        task = packed.unpack()
        if workers.num_workers == 1:
            run_here(replace(task, opener=opener), tune.report, context.num_threads, workers)
        else:
            name, store = trial_name(task.number), context.folder.ray.join("train")
            run_on_workers(task, context.num_threads, workers, store, name, in_trial=True)

    return run_trial
