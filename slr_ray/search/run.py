"""A whole run: search, compare on the test set, hand out the best."""

from __future__ import annotations

import datetime
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from slr_ray.errors import RunFailed
from slr_ray.experiment.experiment import build_experiment
from slr_ray.records.log import Log, read_log
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import RunRecord, TrialRecord, best_trial
from slr_ray.records.tries import Tries
from slr_ray.reporting.hparams import write_search_columns
from slr_ray.search.comparison.arms import BEST, Candidates, arms_for
from slr_ray.search.history.journal import Journal
from slr_ray.search.listeners import BoardListener, Listeners, LogListener
from slr_ray.search.search_run import SearchRun, begin, begin_final, finish, now
from slr_ray.search.spaces.space import parameters
from slr_ray.storage import absolute, below, masked


def execute(run: SearchRun, split: dict[str, Any], console: Console) -> int:
    """Search, compare and report; the exit status: 0, or 1 where a trial or an arm failed.

    `split` is what `check_data` returned.
    """
    from slr_ray.search.comparison.pooled import pool_arms
    from slr_ray.search.comparison.run import compare_arms, hand_out_best
    from slr_ray.search.limits import TuneLimits
    from slr_ray.search.live import LiveView
    from slr_ray.search.tuning import search
    from slr_ray.workers.waiting import NodeWatch

    record = begin(run, split)
    context, options, settings = run.context, run.options, run.space.search
    workers, draws = options.workers(), run.final_draws
    arms = arms_for(run.space.default)
    journal = Journal(run.folder)
    study = _open_study(run, journal, console)
    tries = Tries(read_log(run.folder))
    log = Log(run.folder)
    tries.hear(log.write("run_resumed" if run.is_resumed else "run_started"))
    goals = run.space.goals.figures
    view = LiveView(console, context.metric, settings.num_trials, len(arms) * len(draws))
    listeners = Listeners(
        [
            view,
            BoardListener(run.folder, goals),
            LogListener(log, context.metric, tries, workers),
        ]
    )
    columns = {one.path: one.ends() for one in parameters(run.space.tree)}
    write_search_columns(run.folder.store, columns, goals)
    watch = None
    if options.address is not None:
        watch = NodeWatch(workers, listeners.nodes_changed, grows=options.wait_for_nodes)
    for folder in run.folder.trials():
        listeners.found(folder.trial())
    start = run.folder.begin_attempt(now(), run.command)
    limits = TuneLimits.of(options, settings.num_trials)
    build = run.opener.build
    try:
        with view.showing():
            if record.chosen is None:
                search(
                    context, study, journal, build, limits, workers, listeners, start, tries, watch
                )
                study.tell_rest()
                journal.keep()
            records = [folder.trial() for folder in run.folder.trials()]
            if record.chosen is None:
                record = begin_final(run, record, [_best(run, records, one) for one in run.folds])
            candidates = _candidates(run, record)
            listeners.final_begins()
            failed_arms = compare_arms(context, candidates, draws, workers, listeners, watch)
        failed = [one for one in records if one.status == "failed"]
        told = {f"trial {one.number}": one.error for one in failed} | failed_arms
        for name, reason in told.items():
            console.print(Text("failed:", style="red"), f"{name}: {reason}")
        if not any(name.startswith(f"{BEST}/") for name in failed_arms):
            hand_out_best(context, draws)
        if run.num_folds is not None:
            names = [one.name for one in arms]
            pool_arms(run.folder, names, settings.final_seeds, run.num_folds)
        if failed_arms:
            console.print(f"to try these arms again: {run.go_on_command}", soft_wrap=True)
        else:
            tries.hear(log.write("run_ended"))
            finish(run, record, tries.wall_s)
        log.keep()
    finally:
        log.close()
    return 1 if told else 0


def _open_study(run: SearchRun, journal: Journal, console: Console) -> Any:
    from slr_ray.search.history.study import SearchStudy

    study = SearchStudy(
        journal.path,
        run.space.tree,
        run.space.search,
        name=run.folder.name,
        num_rounds=run.space.num_rounds,
        window=run.options.max_concurrent if run.options.deterministic else None,
    )
    if run.is_resumed:
        for number, folder in run.folder.begun_trials().items():
            study.restore(number, **folder.read_task())
        return study
    for given in run.space.start_from:
        outside = study.enqueue(given.model_dump(mode="json"))
        if outside:
            console.print(
                f"a setting of start_from is tried with another {', '.join(outside)}: its own "
                "is outside the space, or fixed by an override"
            )
    return study


def _candidates(run: SearchRun, record: RunRecord) -> dict[int | None, Candidates]:
    """What every fold's arms are made of: the trial that was chosen for it, and the default."""
    return {
        fold: Candidates(
            build_experiment(run.folder.trial(number).read_config(), f"trial {number}"),
            run.space.default,
        )
        for fold, number in zip(run.folds, record.chosen or (), strict=True)
    }


def _best(run: SearchRun, records: list[TrialRecord], fold: int | None) -> int:
    """The trial that is best, in a fold where given; `RunFailed` without one."""
    goals = run.space.goals
    best = goals.best(records, run.space.metric, fold)
    if best is None and (outside := best_trial(records, run.space.metric, fold)) is not None:
        raise RunFailed(
            f"{goals.beyond_text(outside)}. Search on with more trials: "
            f"{run.go_on_command} --num-trials {run.space.search.num_trials + 8}"
        )
    if best is None:
        raise RunFailed(
            "no trial completed, so there is nothing to compare: "
            + (records[0].error or "all were stopped early" if records else "no time for one")
            + f". Records are in {run.folder.location}"
        )
    return best.number


def new_folder(storage: str, space: str) -> RunFolder:
    """A folder below `storage` named after the space and the time."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return RunFolder(below(absolute(storage), f"{space}-{stamp}"))


def command_line(command: str) -> list[str]:
    """What the user typed, as `python -m slr_ray...` would be typed again."""
    return ["python", "-m", f"slr_ray.{command}", *map(masked, sys.argv[1:])]
