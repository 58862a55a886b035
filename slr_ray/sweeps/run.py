"""A sweep around its cells: recorded, measured in parallel, told of; gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from slr_ray.config import merge
from slr_ray.errors import UserError
from slr_ray.experiment.opener import Opener
from slr_ray.progress import ProgressBar
from slr_ray.records.environment import environment
from slr_ray.records.log import Log, read_log
from slr_ray.records.sweeps import SweepFolder, SweepRecord
from slr_ray.records.tries import Tries
from slr_ray.reporting.board import board_command
from slr_ray.search.comparison.cells import run_cells
from slr_ray.search.listeners import Listeners, LogListener, RunListener
from slr_ray.search.search_run import now
from slr_ray.storage import absolute
from slr_ray.sweeps.board import write_board
from slr_ray.sweeps.budget import Budget
from slr_ray.sweeps.page import print_result, write_page
from slr_ray.sweeps.plan import Plan, Sweep, of_block
from slr_ray.sweeps.results import load_sweep
from slr_ray.sweeps.table_file import check_table
from slr_ray.workers.nodes import connected
from slr_ray.workers.run_options import RunOptions
from slr_ray.workers.session import prints_kept
from slr_ray.workers.waiting import NodeWatch


def execute(sweep: Sweep, gpu_hours: float | None, console: Console) -> SweepRecord:
    """Measure what has no result yet; the record tells what failed."""
    import ray

    record, options = begin(sweep), sweep.options
    plan, folder, workers = sweep.plan, sweep.folder, sweep.options.workers()
    tries = Tries(read_log(folder))
    log = Log(folder)
    tries.hear(log.write("run_resumed" if sweep.is_resumed else "run_started"))
    folder.begin_attempt(now(), sweep.command)
    budget = Budget(options.time_budget_s, gpu_hours, tries)
    told = LogListener(log, "accuracy", tries, workers)
    cells = list(plan.cells.values())
    done = len(cells) - len(plan.to_do)
    failed: dict[str, str] = {}
    try:
        with ProgressBar(console, "cells", len(cells), done=done) as bar:
            listeners = Listeners([_Shown(bar, console), told])
            watch = None
            if options.address is not None:
                watch = NodeWatch(workers, listeners.nodes_changed, grows=options.wait_for_nodes)
            if plan.to_do:
                places = {sweep.place_option: folder.location}
                with connected(options, workers, places), prints_kept(folder.ray):
                    budget.begin()
                    at_once = options.max_concurrent
                    if budget.is_limited:
                        # What waits in Ray's queue has begun already.
                        fitting = workers.at_once(ray.cluster_resources())
                        at_once = min(at_once or fitting, fitting)
                    failed = run_cells(
                        plan.to_do,
                        workers,
                        max(1, int(options.trial_cpus)),
                        folder.ray.join("train"),
                        listeners,
                        at_once=at_once,
                        may_start=budget.is_left,
                        watch=watch,
                    )
        is_whole, used_up = not plan.to_do, budget.used_up()
        if is_whole:
            tries.hear(log.write("run_ended"))
        record = record.model_copy(
            update={
                "failed": dict(_failures(record, plan, failed)),
                "left_because": None if is_whole or not used_up else f"not begun, as {used_up}",
                "finished": now() if is_whole else None,
                "wall_s": tries.wall_s,
            }
        )
        folder.write_sweep(record)
        write_board(folder, record)
        log.keep()
    finally:
        log.close()
    return record


def _failures(
    before: SweepRecord, plan: Plan, failed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Why cells have no result, by name: `failed` of this call, else what an earlier one told.

    A cell may stand at several places of the table. One that failed, and was not begun again since
    the budget was used up, has failed all the same.
    """
    for one in before.cells:
        if one.key is None:
            continue
        cell = plan.cells[one.key]
        if cell.name in failed:
            yield one.name, failed[cell.name]
        elif one.name in before.failed and not cell.is_done():
            yield one.name, before.failed[one.name]


def measure_and_tell(
    sweep: Sweep, gpu_hours: float | None, console: Console, pages: str | None = None
) -> SweepRecord:
    """`execute`, then the report, in the folder `pages` where that is not the sweep's own."""
    record = execute(sweep, gpu_hours, console)
    result = load_sweep(sweep.folder)
    written = write_page(result, pages)
    print_result(result, console)
    logs = board_command(sweep.folder.store)
    for line in (*(f"report:      {one}" for one in written), f"TensorBoard: {logs}"):
        console.print(line, soft_wrap=True, highlight=False)
    return record


def begin(sweep: Sweep) -> SweepRecord:
    """Write the sweep's record; of a resumed one, check that it is the same."""
    location = sweep.folder.location
    if sweep.is_resumed:
        record = sweep.folder.read_sweep()
        for old, new in zip(record.blocks, sweep.blocks, strict=True):
            if old.fingerprint != new.fingerprint:
                raise UserError(
                    f"{location}: {old.title} changed since the sweep began (fingerprint "
                    f"{new.fingerprint[:12]} instead of {old.fingerprint[:12]}); start a new one"
                )
        # Keys are made anew: another version of the code may take no old result for its own.
        record = record.model_copy(update={"cells": sweep.plan.entries})
    else:
        record = SweepRecord(
            name=sweep.folder.name,
            created=now(),
            command=sweep.command,
            table=sweep.checked.written.model_dump(mode="json"),
            overrides=dict(sweep.checked.overrides),
            seeds=list(sweep.seeds),
            num_folds=sweep.num_folds,
            blocks=sweep.blocks,
            cells=sweep.plan.entries,
            failed={},
            left_because=None,
            environment=environment(),
            finished=None,
            wall_s=0.0,
        )
    sweep.folder.write_sweep(record)
    sweep.folder.write_options(sweep.options)
    return record


def resumed(location: str, changes: Mapping[str, Any], command: list[str]) -> Sweep:
    """The sweep at `location` with its own table, data and draws; `changes` replace options."""
    folder = SweepFolder(absolute(location))
    record = folder.read_sweep()
    opener = Opener()
    checked = check_table(record.table, folder.location, record.overrides, opener)
    options = RunOptions.model_validate(folder.read_options())
    options = RunOptions.model_validate(merge(options.model_dump(), changes))
    return Sweep(
        folder=folder,
        checked=checked,
        corpora=[of_block(one) for one in record.blocks],
        seeds=record.seeds,
        num_folds=record.num_folds,
        options=options,
        command=command,
        is_resumed=True,
        opener=opener,
    )


class _Shown(RunListener):
    """How far the cells are, and at once which failed."""

    def __init__(self, bar: ProgressBar, console: Console) -> None:
        self._bar, self._console = bar, console

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        if error is not None:
            self._console.print(f"failed: {arm} seed {seed}: {error}", style="red", soft_wrap=True)
        self._bar.advance(note=f"{arm} seed {seed}")
