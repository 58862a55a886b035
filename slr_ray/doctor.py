"""Is this machine ready? `python -m slr_ray.doctor`."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slr_ray.command import user_errors
from slr_ray.config import build
from slr_ray.errors import DataError, UserError
from slr_ray.locations import is_uri
from slr_ray.options import Address, Data, data_and_pool
from slr_ray.storage import cache_root
from slr_ray.storage.checks import check_drivers, check_room, check_secrets, check_storage
from slr_ray.workers.cluster_file import lines

if TYPE_CHECKING:
    from slr_ray.workers.run_options import RunOptions

_NEEDED = (
    "ray",
    "torch",
    "optuna",
    "numpy",
    "pyarrow",
    "tensorboard",
    "pydantic",
    "mediapipe",
    "av",
    "umap-learn",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    is_good: bool
    found: str
    advice: str = ""


def doctor(
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove the corpora in the cache that no process uses."),
    ] = False,
    address: Address = None,
    cluster: Annotated[
        str | None, typer.Option(help="A cluster file for ray up, before it costs money.")
    ] = None,
    space: Annotated[
        str | None, typer.Option(help="A search space that is to be searched on --data.")
    ] = None,
    storage: Annotated[str | None, typer.Option(help="Where runs are to go.")] = None,
    data: Data = None,
    trial_workers: Annotated[int, typer.Option(help="Workers that train a trial.")] = 1,
    trial_cpus: Annotated[float, typer.Option(help="Processors of each worker.")] = 1.0,
    trial_gpus: Annotated[float, typer.Option(help="GPUs of each worker.")] = 0.0,
) -> None:
    """Check Python, packages, GPUs, what Ray needs, cache and disk; exit status 1 on a problem.

    With --storage or --data also whether those places answer, with --space whether that search
    can be made of the data, and with --address or --cluster whether that cluster can do what a
    search would ask of it.
    """
    if prune:
        with user_errors():
            _prune()
        return
    with user_errors():
        options = _options(
            address=address,
            trial_workers=trial_workers,
            trial_cpus=trial_cpus,
            trial_gpus=trial_gpus,
        )
    findings = list(_findings())
    places = {"--storage": storage, "--data": data}
    given = {option: place for option, place in places.items() if place is not None}
    for option, place in given.items():
        findings += _place(option, place)
    if space is not None:
        findings.append(_checked("--space", lambda: _space(space, data, options)))
    if cluster is not None:
        with user_errors():
            findings += [Finding(*line) for line in lines(cluster)]
        findings.append(_cluster_file(cluster, options))
    if address is not None:
        findings += _cluster(address, options, given)
    elif cluster is None:
        findings.append(_checked("a trial here", lambda: _trial_here(options)))
    for one in findings:
        mark = "ok  " if one.is_good else "BAD "
        typer.echo(f"{mark} {one.what}: {one.found}" + (f" - {one.advice}" if one.advice else ""))
    raise SystemExit(0 if all(one.is_good for one in findings) else 1)


def _prune() -> None:
    """The copies are made again from their shards when they are needed."""
    from slr_ray.corpora.cache import prune

    outcome = list(prune())
    gone = [copy for copy, went in outcome if went]
    size = sum(copy.num_bytes for copy in gone) / 2**30
    kept = len(outcome) - len(gone)
    left = f"; {kept} in use left" if kept else ""
    typer.echo(f"removed {len(gone)} corpora from the cache, {size:.2f} GiB{left}")


def _place(option: str, place: str) -> Iterator[Finding]:
    from slr_ray.poses.shards import list_shards

    if is_uri(place):
        yield _checked(f"secrets of {option}", lambda: check_secrets(place))
    if option == "--data":
        yield _checked(option, lambda: f"{len(list_shards(place)[1])} files of poses")
        return
    written = _checked(option, lambda: check_storage(place))
    yield written
    if written.is_good:
        yield _checked(f"drivers in {option}", lambda: check_drivers(place))


def _options(**given: Any) -> RunOptions:
    """How a search would use machines; `ConfigError` where none could give that."""
    from slr_ray.workers.run_options import RunOptions

    options = build(RunOptions, given, "command line")
    options.workers()
    return options


def _trial_here(options: RunOptions) -> str:
    from slr_ray.workers.nodes import check_resources

    workers = options.workers()
    check_resources(options, workers)
    return workers.described()


def _space(name: str, data: str | None, options: RunOptions) -> str:
    """What `tune` checks before its first trial: settings, clips, splits and draws."""
    from slr_ray.experiment.opener import Opener
    from slr_ray.search.run import new_folder
    from slr_ray.search.search_run import SearchRun, check_data
    from slr_ray.search.spaces.default_pool import space_with_pool

    opener = Opener()
    space = space_with_pool(name, data_and_pool(data), opener)
    run = SearchRun(new_folder("runs", space.name), space, options, [], opener=opener)
    check_data(run)
    corpus = run.default.corpus
    return (
        f"{space.name}, {space.search.num_trials} trials on {corpus.num_clips:,} clips of "
        f"{corpus.name}"
    )


def _cluster_file(file: str, options: RunOptions) -> Finding:
    from slr_ray.workers.node_types import check_types

    return _checked("cluster file", lambda: check_types(file, options.workers()))


def _cluster(address: str, options: RunOptions, places: Mapping[str, str]) -> Iterator[Finding]:
    from slr_ray.workers import every_node, nodes
    from slr_ray.workers.gpus import check_gpus
    from slr_ray.workers.session import check_reachable, ray_session

    with contextlib.ExitStack() as stack:
        try:
            check_reachable(address)
            stack.enter_context(ray_session(address, dashboard=False))
        except UserError as error:
            yield Finding("cluster", False, str(error))
            return
        import ray

        workers, there = options.workers(), ray.nodes()
        yield Finding("cluster", True, nodes.described_cluster())
        yield _checked("slr_ray of nodes", lambda: every_node.check_code(there))
        yield _checked("folders", lambda: nodes.check_places(there, places, may_grow=False))
        if "--storage" in places:
            place = places["--storage"]
            yield _checked("--storage of nodes", lambda: every_node.check_written(there, place))
        fits = _checked("nodes", lambda: nodes.check_fits(there, workers))
        yield fits
        if fits.is_good and workers.gpus:
            within_s = nodes.CHECK_GPUS_WITHIN_S
            yield _checked("GPUs of nodes", lambda: _gpus_told(check_gpus(workers, within_s)))


def _gpus_told(were_free: bool) -> str:
    return "torch uses them" if were_free else "not checked: others use all of them"


def _checked(what: str, check: Callable[[], str | None]) -> Finding:
    """A check that raises, as a line."""
    try:
        return Finding(what, True, check() or "as asked for")
    except UserError as error:
        return Finding(what, False, str(error))


def _findings() -> Iterator[Finding]:
    from slr_ray.workers.session import authentication

    python = sys.version.split()[0]
    yield Finding("Python", sys.version_info >= (3, 11), python)
    for package in _NEEDED:
        try:
            yield Finding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(package, False, "missing", "pip install slr_ray brings it")
    yield _dashboard()
    yield _temporary_folder()
    yield _gpus()
    yield _models()
    yield Finding("processors", True, str(os.cpu_count()))
    yield _checked("corpus cache", _cache)
    yield _checked("room in the cache", lambda: check_room(cache_root()))
    yield _checked("Ray authentication", authentication)


def _dashboard() -> Finding:
    try:
        import aiohttp  # noqa: F401  # what ray[default] adds and the dashboard needs
    except ImportError:
        advice = "trials with several workers leak resources without it: pip install 'ray[default]'"
        return Finding("Ray dashboard", False, "missing", advice)
    return Finding("Ray dashboard", True, "installed")


def _temporary_folder() -> Finding:
    from slr_ray.workers.session import temporary_folder

    folder, problem = temporary_folder()
    return Finding("temporary folder", problem is None, folder, problem or "")


def _models() -> Finding:
    from slr_ray.videos.detection.models import cached

    found = "in the cache" if cached() else "not fetched yet: the first extraction does it"
    return Finding("MediaPipe models", True, found)


def _gpus() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding("GPUs", True, "none: training runs on processors")
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding("GPUs", True, ", ".join(names))


def _cache() -> str:
    """How full the corpus cache is, in words; `UserError` where there can be none."""
    from slr_ray.corpora.cache import cache_folder, copies, limit_bytes

    most, root = limit_bytes() / 2**30, cache_folder()
    if not os.access(root, os.W_OK):
        raise DataError(f"{root} can't be written: set SLR_RAY_CACHE to a folder that can be")
    held = sum(one.num_bytes for one in copies()) / 2**30
    free = shutil.disk_usage(root).free / 2**30
    return f"{root} ({held:.2f} of {most:g} GiB used, {free:.0f} GiB free on the disk)"


def main() -> None:
    typer.run(doctor)


if __name__ == "__main__":
    main()
