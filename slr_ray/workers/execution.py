"""Running a task in this process, or on several workers through Ray Train.

The task is the same either way; with one worker no further process is started, which on small
trials saves more time than the training takes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from slr_ray.durations import duration
from slr_ray.errors import ClusterError
from slr_ray.storage import Store
from slr_ray.workers.gpus import check_gpu, check_gpus
from slr_ray.workers.losses import WorkersLost, cause_of, is_loss, misses_peer
from slr_ray.workers.place import Place, this_place

TaskT = TypeVar("TaskT")
Report = Callable[[dict[str, Any]], None]
"""Called after each round with the metric's name and value, `round` and counts."""
_TRAIN_ASKS_FOR_S = 60.0


@runtime_checkable
class Task(Protocol):
    """A trial or an arm of the final comparison."""

    def run(self, place: Place, report: Report) -> None: ...


@dataclass(frozen=True)
class Names:
    """What the command that asks for workers calls things, for its messages."""

    task: str = "a trial"
    workers: str = "--trial-workers"
    cpus: str = "--trial-cpus"
    gpus: str = "--trial-gpus"

    @property
    def options(self) -> str:
        return f"{self.gpus}, {self.cpus} or {self.workers}"


@dataclass(frozen=True)
class Workers:
    """What one task gets."""

    num_workers: int = 1
    cpus: float = 1.0
    """Of each worker."""
    gpus: float = 0.0
    """Of each worker; a fraction only with one worker (NCCL refuses to share a GPU)."""
    wait_at_most_s: float = 1800.0
    """For nodes that can hold the task."""
    min_workers: int | None = None
    """Fewer will do where there are no more, and more join when they come; None = all of them."""
    names: Names = Names()

    @property
    def fewest(self) -> int:
        return self.min_workers or self.num_workers

    def bundles(self) -> list[dict[str, float]]:
        """What the task's own process reserves, as Ray placement bundles."""
        if self.num_workers == 1:
            return [self.worker_resources()]
        # Ray Train reserves the workers itself: reserved here too, they would wait for each other.
        # Even a thousandth of a processor could be the one that a worker lacks; a little memory
        # stands for the process that waits for them.
        return [{"memory": 2.0**20}]

    def worker_resources(self) -> dict[str, float]:
        """Resources of each Ray Train worker."""
        return {"CPU": self.cpus, **({"GPU": self.gpus} if self.gpus else {})}

    def fit_on(self, nodes: Iterable[Mapping[str, float]]) -> bool:
        """Whether nodes with these resources, all of them idle, can hold a task."""
        wanted = self.worker_resources()
        fitting = sum(
            min(int(node.get(name, 0.0) // amount) for name, amount in wanted.items())
            for node in nodes
        )
        return fitting >= self.fewest

    def described(self) -> str:
        """What a task asks for, in words."""
        one = " and ".join(f"{amount:g} {name}" for name, amount in self.worker_resources().items())
        if self.num_workers == 1:
            return one
        fewest = "" if self.fewest == self.num_workers else f"{self.fewest} to "
        return f"{fewest}{self.num_workers} times {one}"

    def at_once(self, resources: dict[str, float]) -> int:
        """How many tasks fit into a cluster's resources, at least one."""
        worker = self.worker_resources()
        fitting = [
            int(resources.get(name, 0.0) // (wanted * self.num_workers))
            for name, wanted in worker.items()
        ]
        return max(1, min(fitting))


def run_here(task: Task, report: Report, num_threads: int, workers: Workers) -> None:
    """Run in this process, on its GPU if Ray gave it one."""
    torch.set_num_threads(num_threads)
    check_gpu(workers.gpus, workers.names.gpus)
    task.run(this_place(), report)


def run_on_workers(
    task: Task,
    num_threads: int,
    workers: Workers,
    store: Store,
    name: str,
    *,
    in_trial: bool,
) -> None:
    """Run on several Ray Train workers; `name` must be stable, so that a restart resumes.

    Inside a Tune trial, the first worker's reports go to Tune as it makes them. Raises what a
    worker raised, and `WorkersLost` where one was taken away.
    """
    from ray import train
    from ray.train.torch import TorchTrainer
    from ray.tune.integration.ray_train import TuneReportCallback

    if workers.gpus and not check_gpus(workers, workers.wait_at_most_s):
        raise ClusterError(f"waited {duration(workers.wait_at_most_s)} for {workers.described()}")

    def on_worker(_: dict[str, Any]) -> None:
        torch.set_num_threads(num_threads)
        task.run(this_place(), train.report)

    trainer = TorchTrainer(
        on_worker,
        train_loop_config={},
        scaling_config=train.ScalingConfig(
            num_workers=(
                (workers.fewest, workers.num_workers)
                if workers.min_workers is not None
                else workers.num_workers
            ),
            use_gpu=workers.gpus > 0,
            resources_per_worker=workers.worker_resources(),
        ),
        run_config=train.RunConfig(
            name=_ray_name(name),
            storage_path=store.plain_location,
            callbacks=[TuneReportCallback()] if in_trial else [],
            # Ray Train asks for the workers' nodes for a minute, again and again.
            failure_config=train.FailureConfig(
                controller_failure_limit=int(workers.wait_at_most_s // _TRAIN_ASKS_FOR_S)
            ),
        ),
    )
    try:
        trainer.fit()
    except train.TrainingFailedError as error:
        raise _what_failed(error) from error


def _ray_name(name: str) -> str:
    """The same for the same task, and of few ASCII characters: Ray Train makes folders and tags of
    metrics of it, which take no others.
    """
    words = re.sub(r"[^A-Za-z0-9]+", "_", name)[:40]
    return f"{words}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _what_failed(error: Exception) -> BaseException:
    """What ended a training on several workers."""
    of_workers: dict[int, Exception] = getattr(error, "worker_failures", {})
    causes = [getattr(one, "health_check_failure", one) for _, one in sorted(of_workers.items())]
    # Those that are left raise as well, and may be heard first.
    own = [one for one in causes if not misses_peer(one)]
    if any(is_loss(one) for one in own) or (causes and not own):
        return WorkersLost(str(causes[0]))
    return cause_of(own[0] if own else getattr(error, "controller_failure", error))
