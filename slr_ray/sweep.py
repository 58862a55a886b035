"""A paper's table, or one's own: `python -m slr_ray.sweep --table sslr_fractions --data poses/`.

This module starts fast: torch and Ray are imported once the command line has been read.
"""

from __future__ import annotations

import itertools
import shlex
import sys
from typing import Annotated, Any

import typer

from slr_ray.command import going_on_with, user_errors
from slr_ray.errors import ConfigError
from slr_ray.options import Address, SkipBroken, data_and_pool, refuse_beside, seconds_of

_WORDS_HELP = (
    "A table's YAML file, and section.field=value for every setting that has the field, unless "
    "settings differ in it; of a path of the grid, its values"
)


def sweep(
    words: Annotated[list[str] | None, typer.Argument(help=_WORDS_HELP)] = None,
    table: Annotated[
        str | None, typer.Option(help="A shipped table's name, or a YAML file.")
    ] = None,
    list_tables: Annotated[
        bool, typer.Option("--list-tables", help="Name the shipped tables, start nothing.")
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Pose shards: a Parquet file, a folder of them, or a cloud URI; repeated, the "
            "table has a block for each. Without it: the embedded corpus."
        ),
    ] = None,
    skip_broken: SkipBroken = False,
    transfer: Annotated[
        bool,
        typer.Option(
            "--transfer",
            help="Also a block from each corpus to each: pre-trained on the one, measured on the "
            "other.",
        ),
    ] = False,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Label draws; as the table says without it.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Cross-validation by signer: every clip is tested once a seed."),
    ] = None,
    time_budget: Annotated[
        str | None, typer.Option(help="Begin no further cell after so long (90s, 45m, 8h).")
    ] = None,
    gpu_hours: Annotated[
        float | None,
        typer.Option(min=0.0, help="Begin no further cell after so many GPU-hours of this call."),
    ] = None,
    max_concurrent: Annotated[int | None, typer.Option(min=1, help="Cells at a time.")] = None,
    trial_workers: Annotated[int | None, typer.Option(help="Workers that train one cell.")] = None,
    trial_cpus: Annotated[float | None, typer.Option(help="Processors of each worker.")] = None,
    trial_gpus: Annotated[
        float | None, typer.Option(help="GPUs of each worker; a fraction shares one.")
    ] = None,
    storage: Annotated[
        str,
        typer.Option(
            help="Where sweeps go: a folder or a URI. Those of one storage share cells and stages."
        ),
    ] = "runs",
    address: Address = None,
    wait_for_nodes: Annotated[
        bool, typer.Option(help="Wait for an autoscaler to add the nodes that cells need.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option(help="Go on with a sweep (its folder or URI).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Count cells and labels, estimate the time, start nothing.")
    ] = False,
) -> None:
    """Measure every setting of a table at every place of its grid, and print it as a paper does.

    What has a result in the storage is not measured again. Exit status: 0 when no cell failed, 1
    when one did, 2 when the call can't work, 130 when it was interrupted.
    """
    with user_errors():
        if list_tables:
            _list_tables()
            return
        changes = {
            "time_budget_s": seconds_of("--time-budget", time_budget),
            "max_concurrent": max_concurrent,
            "trial_workers": trial_workers,
            "trial_cpus": trial_cpus,
            "trial_gpus": trial_gpus,
            "address": address,
            "wait_for_nodes": wait_for_nodes or None,
        }
        changes = {key: value for key, value in changes.items() if value is not None}
        overrides = [one for one in words or [] if "=" in one]
        named = [one for one in [table, *(words or [])] if one is not None and "=" not in one]
        if resume is not None:
            fixed = {
                "--table": named,
                "--data": data,
                "--transfer": transfer or None,
                "--seeds": seeds,
                "--folds": folds,
                "overrides": overrides,
            }
            refuse_beside(fixed, "--resume takes table, data and settings from the sweep")
            found = _resumed(resume, changes)
        else:
            if len(named) != 1:
                given = f", got {' and '.join(named)}" if named else ""
                raise ConfigError(f"name one table: --table sslr_fractions, or its file{given}")
            sections = [data_and_pool(one, skip_broken=skip_broken)["data"] for one in data or []]
            found = _new(named[0], overrides, sections, transfer, seeds, folds, changes, storage)
        if gpu_hours is not None and not found.options.trial_gpus:
            raise ConfigError(f"--gpu-hours {gpu_hours:g}: cells have no GPU; give --trial-gpus")
        status = _go(found, gpu_hours, dry_run)
    raise SystemExit(status)


def _list_tables() -> None:
    from slr_ray.config import read_yaml
    from slr_ray.sweeps.table_file import tables

    for name, path in tables().items():
        typer.echo(f"{name:<18} {read_yaml(path)['title']}")


def _new(
    name: str,
    overrides: list[str],
    sections: list[dict[str, Any]],
    transfer: bool,
    seeds: int | None,
    folds: int | None,
    changes: dict[str, Any],
    storage: str,
) -> Any:
    from slr_ray.config import build, parse_overrides
    from slr_ray.experiment.opener import Opener
    from slr_ray.records.sweeps import SweepFolder
    from slr_ray.search.run import command_line, new_folder
    from slr_ray.search.spaces.space_file import located
    from slr_ray.sweeps.plan import Sweep
    from slr_ray.sweeps.table_file import load_table
    from slr_ray.workers.run_options import RunOptions

    opener = Opener()
    checked = load_table(name, parse_overrides(overrides), opener)
    is_transfer = checked.table.transfer
    if (transfer or is_transfer) and len(sections) < 2:
        what = f"{checked.table.name} is" if is_transfer else "--transfer is"
        raise ConfigError(f"{what} from one corpus to another: give --data twice")
    corpora = [] if is_transfer else [located({"data": one}) for one in sections]
    if transfer or is_transfer:
        for source, target in itertools.permutations(sections, 2):
            learnt = {"clips": "extra", "extra_data": [source["location"]]}
            corpora.append(located({"data": target, "initialisation": learnt}))
    return Sweep(
        folder=SweepFolder(new_folder(storage, checked.table.name).location),
        checked=checked,
        corpora=corpora or [{}],
        seeds=range(seeds or checked.table.seeds),
        num_folds=folds or checked.table.folds,
        options=build(RunOptions, changes, "command line"),
        command=command_line("sweep"),
        opener=opener,
    )


def _resumed(location: str, changes: dict[str, Any]) -> Any:
    from slr_ray.search.run import command_line
    from slr_ray.sweeps.run import resumed

    return resumed(location, changes, command_line("sweep"))


def _go(found: Any, gpu_hours: float | None, dry_run: bool) -> int:
    from slr_ray.console import literal_console
    from slr_ray.sweeps.run import measure_and_tell
    from slr_ray.sweeps.summary import print_plan
    from slr_ray.workers.nodes import check_resources

    # Bound to the stream as it is now: what Ray prints later goes elsewhere.
    console = literal_console(file=sys.stdout)
    check_resources(found.options, found.options.workers())
    print_plan(found, console, with_estimate=dry_run)
    if dry_run:
        return 0
    store = found.folder.store
    store.check_writable()
    again = f"python -m slr_ray.sweep --resume {shlex.quote(found.folder.location)}"
    with going_on_with(again, found.folder.location), store.held():
        record = measure_and_tell(found, gpu_hours, console)
    return 1 if record.failed else 0


def main() -> None:
    typer.run(sweep)


if __name__ == "__main__":
    main()
