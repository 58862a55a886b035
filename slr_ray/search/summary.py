"""What is printed before a run starts and after it ended."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.text import Text

from slr_ray.durations import duration
from slr_ray.experiment.data_summary import (
    measured_text,
    pool_text,
    print_extra,
    print_warnings,
    split_text,
)
from slr_ray.reporting.board import board_command
from slr_ray.search import estimate
from slr_ray.search.comparison.arms import arms_for
from slr_ray.search.search_run import SearchRun
from slr_ray.search.spaces.space import parameters


def print_plan(run: SearchRun, console: Console, *, with_estimate: bool) -> None:
    """Data, split, what is searched and, on request, an estimate of the time it takes."""
    base = run.default
    corpus, parts, search = base.corpus, base.split, run.space.search
    console.print(
        Text(run.space.name, style="bold"),
        f"on {corpus.name}: {corpus.num_clips} clips, "
        f"{len(corpus.glosses)} glosses, {len(corpus.signers)} signers",
    )
    console.print(
        f"training {len(parts.training)} clips ({pool_text(base, search.search_seeds[0])}), "
        f"test {measured_text(base)}; {split_text(base.config)}"
    )
    print_warnings(base, search.search_seeds[0], console)
    print_extra(base, console)
    console.print(_work(run))
    if not run.is_comparing:
        console.print(_how(run))
        if run.is_resumed and run.options.time_budget_s is not None:
            budget = duration(run.options.time_budget_s)
            console.print(f"the time budget of {budget} begins anew with this start")
    if with_estimate:
        console.print(estimate.text(run))
    elif not run.is_resumed:
        console.print(f"run: {run.folder.location}", soft_wrap=True)
        console.print(f"curves: {board_command(run.folder.store)}", soft_wrap=True)


def _work(run: SearchRun) -> str:
    """What is to be done; of a resumed run what is left of it."""
    if run.is_comparing:
        left, of = len(run.measurements_left), len(run.measurements)
        return f"the search has ended; {left} of {of} measurements of the final comparison left"
    draws = "label draws"
    if run.num_folds is not None:
        draws += f" in {run.num_folds} folds"
    trials = f"{run.space.search.num_trials} trials"
    if run.is_resumed:
        trials = f"{run.num_trials_left} of {trials} left,"
    searched = ", ".join(sorted({one.path for one in parameters(run.space.tree)}))
    return (
        f"{trials} on {len(run.search_draws)} {draws}, searching {searched}; then "
        f"{len(arms_for(run.space.default))} arms on {len(run.final_draws)} draws"
    )


def _how(run: SearchRun) -> str:
    """What draws trials, stops them, and chooses the best one."""
    search, goals = run.space.search, run.space.goals
    told = f"trials from {search.sampler.described(run.space.tree)}"
    told += f"; early stopping: {search.stopping.kind.replace('_', ' ')}"  # type: ignore[attr-defined]
    if len(goals.objectives) > 1:
        told += f"; objectives {', '.join(goals.objectives)}, the best trial by the first"
    return told + (f"; limits {goals.limits_text()}" if goals.limits else "")


def print_end(run: SearchRun, console: Console) -> None:
    """The verdict, then where everything is."""
    from slr_ray.reporting.hparams import write_review
    from slr_ray.reporting.report import write_report
    from slr_ray.reporting.run import load_run
    from slr_ray.reporting.terminal import print_summary

    folder = run.folder
    loaded = load_run(folder.location)
    written = write_report(loaded)
    write_review(loaded)
    print_summary(loaded, console)
    lines = [f"report:      {written[0]}", f"TensorBoard: {board_command(folder.store)}"]
    if loaded.best is not None:
        config = shlex.quote(folder.best.config_location)
        rerun = f"python -m slr_ray.train --config {config} --seed {loaded.best.seed}"
        lines += [f"checkpoint:  {folder.best.checkpoint_location}", f"rerun:       {rerun}"]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
