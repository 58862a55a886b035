"""A whole run: check, search, compare on the test set, report."""

from __future__ import annotations

import datetime
import sys
import time
from typing import Any

from rich.console import Console

from slr_ray.config import merge
from slr_ray.errors import RunFailed
from slr_ray.records.typed import TrialRecord
from slr_ray.search.arms import Arm, copy_best_checkpoint
from slr_ray.search.job import trial_folder
from slr_ray.search.journal import Journal
from slr_ray.search.run_record import Run, begin, finish, now
from slr_ray.search.space import Tree
from slr_ray.search.space_file import resolved
from slr_ray.storage import absolute, below


def trial_records(run: Run) -> list[TrialRecord]:
    """Records of the trials that ended, by number."""
    return [
        TrialRecord.model_validate_json(run.store.read_bytes(name))
        for name in run.store.names("trials", suffix="/record.json")
    ]


def best_trial(records: list[TrialRecord]) -> TrialRecord | None:
    """The complete trial with the highest value; the earlier of equals."""
    complete = [one for one in records if one.status == "complete" and one.value is not None]
    return max(complete, key=lambda one: (one.value or 0.0, -one.number), default=None)


def arm_trees(run: Run, best: TrialRecord) -> dict[Arm, Tree]:
    """What each arm of the final comparison trains."""
    import yaml

    content = run.store.read_bytes(f"{trial_folder(best.number)}/config.yaml")
    tree: Tree = yaml.safe_load(content)
    default = resolved(run.space.default_tree())
    # Against the same model and training as the best trial: the comparison is about what the
    # unlabelled clips give, as pseudo-labels or through pre-training.
    supervised = merge(
        tree, {"method": {"kind": "supervised"}, "initialisation": {"kind": "fresh"}}
    )
    return {
        "sslr_best": tree,
        "sslr_default": default,
        "fsl": supervised,
        "fsl_equal_steps": supervised,
        "nearest_neighbour": supervised,
    }


def execute(run: Run, split: dict[str, Any], console: Console) -> int:
    """Search, compare and report; the exit status: 0, or 1 where a trial or an arm failed.

    `split` is what `check_data` returned.
    """
    from slr_ray.search.final import compare
    from slr_ray.search.live import LiveView
    from slr_ray.search.study import SearchStudy
    from slr_ray.search.tuning import TuneLimits, search
    from slr_ray.workers.nodes import connected

    started = time.monotonic()
    record = begin(run, split)
    job, options, settings = run.job, run.options, run.space.search
    workers = options.workers()
    study = SearchStudy(
        Journal(run.store).path,
        run.space.tree,
        seed=settings.seed,
        early_stopping=settings.early_stopping,
    )
    if not run.is_resumed:
        for plain in run.space.start_from:
            outside = study.enqueue(resolved(plain))
            if outside:
                console.print(
                    f"a setting of start_from is tried with another {', '.join(outside)}: its own "
                    "is outside the space, or fixed by an override"
                )
    num_arms = 5 * len(settings.final_seeds)
    view = LiveView(console, job.metric, settings.num_samples, num_arms)
    for one in trial_records(run):
        view.found(one)
    attempt = len(list(run.store.names("attempts")))
    run.store.write_json(f"attempts/{attempt}.json", {"started": now(), "command": run.command})
    with connected(options, workers), view.showing():
        limits = TuneLimits(
            settings.num_samples,
            options.time_budget_s,
            options.max_failures,
            options.max_concurrent,
        )
        search(job, study, limits, workers, view, attempt)
        records = trial_records(run)
        best = best_trial(records)
        if best is None:
            raise RunFailed(
                "no trial completed, so there is nothing to compare: "
                + (records[0].error or "all were stopped early" if records else "no time for one")
                + f". Records are in {below(run.location, 'trials')}"
            )
        view.begin_final()
        failed_arms = compare(job, arm_trees(run, best), settings.final_seeds, workers, view)
    for arm in failed_arms:
        console.print(f"[red]failed:[/red] {arm.arm}, seed {arm.seed}: {arm.error}")
    failed = [one for one in records if one.status == "failed"]
    for one in failed:
        console.print(f"[red]failed:[/red] trial {one.number}: {one.error}")
    if not any(arm.arm == "sslr_best" for arm in failed_arms):
        copy_best_checkpoint(job, settings.final_seeds)
    if not failed_arms:
        finish(run, record, time.monotonic() - started)
    return 1 if failed or failed_arms else 0


def new_location(storage: str, space: str) -> str:
    """A folder below `storage` named after the space and the time."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return below(absolute(storage), f"{space}-{stamp}")


def command_line() -> list[str]:
    """What the user typed, as `python -m slr_ray...` would be typed again."""
    return ["python", "-m", "slr_ray.tune", *sys.argv[1:]]
