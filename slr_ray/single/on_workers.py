"""`train` and `pretrain` with `--workers`: the same work as tasks of the pool, told of here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rich.console import Console

from slr_ray.console import literal_console
from slr_ray.corpora.data import ShardsConfig
from slr_ray.errors import RunFailed
from slr_ray.experiment.initialisation import EncoderFile
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.consistency import refuse_several_workers
from slr_ray.methods.pretraining import check_initialisation
from slr_ray.records.run_folder import ray_files
from slr_ray.storage import Store
from slr_ray.workers.execution import Report
from slr_ray.workers.lines import Lines, LineStream
from slr_ray.workers.nodes import check_resources, connected
from slr_ray.workers.place import Place
from slr_ray.workers.run_options import GroupOptions
from slr_ray.workers.session import prints_kept
from slr_ray.workers.task_pool import Ended, run_pool
from slr_ray.workers.waiting import NodeWatch


@runtime_checkable
class Training(Protocol):
    """What `train` and `pretrain` do. Plain data, sent to the processes that train."""

    @property
    def name(self) -> str: ...

    def is_done(self) -> bool: ...

    def train(self, place: Place, console: Console) -> None:
        """Train and write the result; `console` is quiet where the worker does not lead."""


@dataclass(frozen=True)
class _ToldTask:
    """A training whose lines the driver hears."""

    training: Training
    lines: Lines
    prefix: str

    @property
    def name(self) -> str:
        return self.training.name

    def is_done(self) -> bool:
        return self.training.is_done()

    def run(self, place: Place, report: Report) -> None:
        console = literal_console(quiet=True)
        if place.leads:
            console = literal_console(file=LineStream(self.lines, self.prefix))
            several = "" if place.world_size == 1 else "s"
            console.print(f"training with {place.world_size} worker{several}", highlight=False)
        self.training.train(place, console)


def worker_counts(options: GroupOptions | None) -> range:
    """How many may train together; `ConfigError` where no machine could give them."""
    if options is None:
        return range(1, 2)
    workers = options.workers()
    check_resources(options, workers)
    return range(workers.fewest, workers.num_workers + 1)


def check_workers(experiments: Sequence[Prepared], options: GroupOptions | None) -> None:
    """`ConfigError` before any work where machines or experiments won't do."""
    counts = worker_counts(options)
    for prepared in experiments:
        refuse_several_workers(prepared.config.method, counts[-1])
        for count in counts:
            check_initialisation(prepared, count)


def train_on_workers(
    trainings: Sequence[Training],
    prepared: Prepared,
    options: GroupOptions,
    num_threads: int | None,
    store: Store,
    console: Console,
) -> None:
    """Run what is not done yet, as many at a time as fit.

    `prepared` is one of theirs, for where its data lie. Raises `RunFailed` with the cause of each
    that failed, `ConfigError` or `ClusterError` where the machines won't do.
    """
    import ray

    to_do = [one for one in trainings if not one.is_done()]
    if not to_do:
        return
    workers = options.workers()
    with (
        connected(options, workers, _places(prepared, store)),
        prints_kept(ray_files(store)),
    ):
        lines = Lines()
        watch = None
        if options.address is not None:
            watch = NodeWatch(workers, lambda _, line: tell(line), grows=options.wait_for_nodes)

        def tell(line: str) -> None:
            console.print(line, soft_wrap=True, highlight=False)

        def on_wait() -> None:
            for line in lines.taken():
                tell(line)
            if watch is not None:
                watch.look()

        def on_end(task: _ToldTask, ended: Ended) -> None:
            on_wait()
            if ended.error is None and len(to_do) > 1:
                tell(f"{task.name} is done")

        tell(f"workers asked for: {workers.described()}")
        failed = run_pool(
            [_ToldTask(one, lines, f"{one.name}: " * (len(to_do) > 1)) for one in to_do],
            workers,
            num_threads or max(1, int(workers.cpus)),
            ray_files(store),
            at_once=workers.at_once(ray.cluster_resources()),
            on_loss=lambda task, reason: tell(f"{task.name} goes on from its stages: {reason}"),
            on_end=on_end,
            on_wait=on_wait,
        )
    if failed:
        raise RunFailed("; ".join(f"{name} failed: {reason}" for name, reason in failed.items()))


def _places(prepared: Prepared, store: Store) -> dict[str, str]:
    """What machines of a cluster must reach, by option."""
    places = {"--out": store.location}
    data, source = prepared.config.data, prepared.config.initialisation
    if isinstance(data, ShardsConfig):
        places["--data"] = data.location
    if isinstance(source, EncoderFile):
        places["--init"] = source.path
    return places
