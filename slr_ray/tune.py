"""Search the settings that the papers leave open: `python -m slr_ray.tune --space sslr_thresholds`.

This module starts fast: torch and Ray are imported once the command line has been read.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from slr_ray.command import going_on_with, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import (
    Address,
    Data,
    LabelledFraction,
    LabelledPerGloss,
    LabelledSigners,
    SkipBroken,
    data_and_pool,
    folds_section,
    refuse_beside,
    seconds_of,
)

_OVERRIDES_HELP = (
    "section.field=value, e.g. training.num_epochs=20; one that the space searches is then fixed"
)


def tune(
    overrides: Annotated[list[str] | None, typer.Argument(help=_OVERRIDES_HELP)] = None,
    space: Annotated[
        str | None, typer.Option(help="A shipped search space's name, or a YAML file.")
    ] = None,
    list_spaces: Annotated[
        bool, typer.Option("--list-spaces", help="Name the shipped spaces, start nothing.")
    ] = False,
    data: Data = None,
    skip_broken: SkipBroken = False,
    labelled_fraction: LabelledFraction = None,
    labelled_per_gloss: LabelledPerGloss = None,
    labelled_signers: LabelledSigners = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Cross-validation by signer: the verdict over all people."),
    ] = None,
    num_trials: Annotated[int | None, typer.Option(help="Trials.")] = None,
    num_samples: Annotated[int | None, typer.Option(hidden=True)] = None,
    seeds: Annotated[int | None, typer.Option(help="Label draws of the final comparison.")] = None,
    time_budget: Annotated[
        str | None,
        typer.Option(help="End the search so long after this start (90s, 45m, 8h) and compare."),
    ] = None,
    max_gpu_hours: Annotated[
        float | None,
        typer.Option(help="End the search when its trials took so many, lost tries included."),
    ] = None,
    max_cpu_hours: Annotated[
        float | None, typer.Option(help="The same for the hours of processors.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="The same for money; needs --price-per-hour.")
    ] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Of a GPU; where trials take none, of a processor.")
    ] = None,
    max_failures: Annotated[
        int | None, typer.Option(help="Restarts of a trial that raised an error, before it fails.")
    ] = None,
    max_lost: Annotated[
        int | None, typer.Option(help="Restarts of a trial that lost its process or node.")
    ] = None,
    max_concurrent: Annotated[int | None, typer.Option(help="Trials at a time.")] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="The same search every time, with --max-concurrent K: a trial waits for the end "
            "of all up to the K-th before it. Takes a tenth to a third longer, with early stopping "
            "up to twice as long.",
        ),
    ] = False,
    trial_workers: Annotated[int | None, typer.Option(help="Workers that train one trial.")] = None,
    trial_cpus: Annotated[float | None, typer.Option(help="Processors of each worker.")] = None,
    trial_gpus: Annotated[
        float | None, typer.Option(help="GPUs of each worker; a fraction shares one.")
    ] = None,
    storage: Annotated[
        str, typer.Option(help="Where runs go: a folder or a URI such as s3://bucket/runs.")
    ] = "runs",
    address: Address = None,
    wait_for_nodes: Annotated[
        bool, typer.Option(help="Wait for an autoscaler to add the nodes that trials need.")
    ] = False,
    wait_at_most: Annotated[
        str | None, typer.Option(help="End where no node was large enough for so long (30m).")
    ] = None,
    shared_storage: Annotated[
        bool, typer.Option(help="All machines of the cluster have the folders that are named.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option(help="Go on with a run (its folder or URI) that was interrupted.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Check everything, estimate the cost, start nothing.")
    ] = False,
) -> None:
    """Search a space in parallel, then compare the best setting with its baselines on a test set.

    Exit status: 0 when all went well, 1 when a trial failed, 2 when the call can't work, 130 when
    it was interrupted.
    """
    with user_errors():
        if list_spaces:
            _list_spaces()
            return
        if num_samples is not None:
            raise ConfigError(f"--num-samples: it is called --num-trials {num_samples} now")
        options: dict[str, Any] = {
            "time_budget_s": seconds_of("--time-budget", time_budget),
            "max_gpu_hours": max_gpu_hours,
            "max_cpu_hours": max_cpu_hours,
            "max_cost": max_cost,
            "price_per_hour": price_per_hour,
            "max_failures": max_failures,
            "max_lost": max_lost,
            "max_concurrent": max_concurrent,
            "deterministic": deterministic or None,
            "trial_workers": trial_workers,
            "trial_cpus": trial_cpus,
            "trial_gpus": trial_gpus,
            "address": address,
            "wait_for_nodes": wait_for_nodes or None,
            "wait_at_most_s": seconds_of("--wait-at-most", wait_at_most),
            "shared_storage": shared_storage or None,
        }
        changes = {key: value for key, value in options.items() if value is not None}
        if resume is not None:
            fixed = {
                "--space": space,
                "--data": data,
                "--labelled-fraction": labelled_fraction,
                "--labelled-per-gloss": labelled_per_gloss,
                "--labelled-signers": labelled_signers,
                "--folds": folds,
                "--seeds": seeds,
                "overrides": overrides,
            }
            refuse_beside(fixed, "--resume takes space, data and settings from the run")
            status = _resume(resume, {**changes, "num_trials": num_trials}, dry_run)
        else:
            if space is None:
                raise ConfigError("name a search space: --space sslr_thresholds; see --list-spaces")
            dotted = data_and_pool(
                data,
                overrides,
                skip_broken=skip_broken,
                labelled_fraction=labelled_fraction,
                labelled_per_gloss=labelled_per_gloss,
                labelled_signers=labelled_signers,
            )
            if folds is not None:
                dotted["split"] = folds_section(folds, overrides or [])
                dotted["search.every_fold"] = True
            if num_trials is not None:
                dotted["search.num_trials"] = num_trials
            if seeds is not None:
                dotted["search.final_seeds"] = list(range(seeds))
            status = _start(space, dotted, overrides or [], changes, storage, dry_run)
    raise SystemExit(status)


def _list_spaces() -> None:
    from slr_ray.console import literal_console
    from slr_ray.search.spaces.listing import print_spaces

    print_spaces(literal_console())


def _start(
    space: str,
    dotted: dict[str, Any],
    overrides: list[str],
    changes: dict[str, Any],
    storage: str,
    dry_run: bool,
) -> int:
    from slr_ray.config import build, parse_overrides
    from slr_ray.experiment.opener import Opener
    from slr_ray.search.run import command_line, new_folder
    from slr_ray.search.search_run import SearchRun
    from slr_ray.search.spaces.default_pool import space_with_pool
    from slr_ray.workers.run_options import RunOptions

    opener = Opener()
    checked = space_with_pool(space, {**dotted, **parse_overrides(overrides)}, opener)
    options = build(RunOptions, changes, "command line")
    folder = new_folder(storage, checked.name)
    return _go(SearchRun(folder, checked, options, command_line("tune"), opener=opener), dry_run)


def _resume(location: str, changes: dict[str, Any], dry_run: bool) -> int:
    from slr_ray.search.run import command_line
    from slr_ray.search.search_run import resumed

    return _go(resumed(location, changes, command_line("tune")), dry_run)


def _go(run: Any, dry_run: bool) -> int:
    from slr_ray.console import literal_console
    from slr_ray.search.run import execute
    from slr_ray.search.search_run import check_data
    from slr_ray.search.summary import print_end, print_plan
    from slr_ray.workers.nodes import check_resources, connected, described_cluster
    from slr_ray.workers.session import prints_kept

    # Bound to the stream as it is now: what Ray prints later goes elsewhere.
    console = literal_console(file=sys.stdout)
    options, store = run.options, run.folder.store
    workers = options.workers()
    check_resources(options, workers)
    split = check_data(run)
    print_plan(run, console, with_estimate=dry_run)
    if dry_run:
        if options.address is not None:
            with connected(options, workers, run.places):
                console.print(described_cluster())
        return 0
    store.check_writable()
    with (
        store.held(),
        connected(options, workers, run.places),
        # What goes wrong before this leaves nothing to go on with.
        going_on_with(run.go_on_command, run.folder.location),
        prints_kept(run.folder.ray),
    ):
        status = execute(run, split, console)
    print_end(run, console)
    return status


def main() -> None:
    typer.run(tune)


if __name__ == "__main__":
    main()
