"""Running a task in this process, or on several workers through Ray Train.

The task is the same either way; with one worker no further process is started, which on small
trials saves more time than the training takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from slr_ray.storage import Store
from slr_ray.workers.place import Place, this_place

TaskT = TypeVar("TaskT")
Report = Callable[[dict[str, Any]], None]
"""Called after each round with the metric's name and value, `round` and counts."""


@runtime_checkable
class Task(Protocol):
    """A trial or an arm of the final comparison."""

    def run(self, place: Place, report: Report) -> None: ...


@dataclass(frozen=True)
class Workers:
    """What one task gets."""

    num_workers: int = 1
    cpus: float = 1.0
    """Of each worker."""
    gpus: float = 0.0
    """Of each worker; a fraction only with one worker (NCCL refuses to share a GPU)."""

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

    def at_once(self, resources: dict[str, float]) -> int:
        """How many tasks fit into a cluster's resources, at least one."""
        worker = self.worker_resources()
        fitting = [
            int(resources.get(name, 0.0) // (wanted * self.num_workers))
            for name, wanted in worker.items()
        ]
        return max(1, min(fitting))


def next_ended(running: dict[Any, TaskT]) -> tuple[TaskT, str | None]:
    """Wait for one of the Ray tasks, take it out, and say why it failed, if it did."""
    import ray

    ready, _ = ray.wait(list(running), num_returns=1)
    task = running.pop(ready[0])
    try:
        ray.get(ready[0])
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        return task, f"{type(cause).__name__}: {cause}"
    return task, None


def run_here(task: Task, report: Report, num_threads: int) -> None:
    """Run in this process, on its GPU if Ray gave it one."""
    torch.set_num_threads(num_threads)
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

    Inside a Tune trial, the first worker's reports go to Tune as it makes them.
    """
    from ray import train
    from ray.train.torch import TorchTrainer
    from ray.tune.integration.ray_train import TuneReportCallback

    def on_worker(_: dict[str, Any]) -> None:
        torch.set_num_threads(num_threads)
        task.run(this_place(), train.report)

    trainer = TorchTrainer(
        on_worker,
        train_loop_config={},
        scaling_config=train.ScalingConfig(
            num_workers=workers.num_workers,
            use_gpu=workers.gpus > 0,
            resources_per_worker=workers.worker_resources(),
        ),
        run_config=train.RunConfig(
            name=name,
            storage_path=store.plain_location,
            callbacks=[TuneReportCallback()] if in_trial else [],
        ),
    )
    trainer.fit()
