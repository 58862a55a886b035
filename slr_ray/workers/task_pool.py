"""Many independent tasks on Ray, as many at once as fit; each may wait for another's end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from slr_ray.records.log import this_process
from slr_ray.storage import Store
from slr_ray.workers.execution import Task, Workers, run_here, run_on_workers

_TRIES_AFTER_LOSS = 2
"""Of a task whose process or node was lost; it goes on from its stages."""


@runtime_checkable
class PooledTask(Task, Protocol):
    """A task with a name of its own that leaves a record."""

    @property
    def name(self) -> str: ...

    def is_done(self) -> bool: ...


TaskT = TypeVar("TaskT", bound=PooledTask)


@dataclass(frozen=True)
class Ended:
    """How a task ended."""

    who: str | None
    """The process that ran it, as HOST:PID; None where it failed, or did not run."""
    error: str | None


def run_pool(
    tasks: Sequence[TaskT],
    workers: Workers,
    num_threads: int,
    store: Store,
    *,
    at_once: int | None = None,
    needs: Callable[[TaskT], TaskT | None] = lambda _: None,
    may_start: Callable[[], bool] = lambda: True,
    on_start: Callable[[TaskT], None] = lambda _: None,
    on_end: Callable[[TaskT, Ended], None] = lambda *_: None,
) -> dict[str, str]:
    """Run every task that has no record yet; returns the reasons of those that failed, by name.

    Ray must be running. `needs` names the task whose record another one reads: it waits for that,
    and fails where that failed. Once `may_start` says no, no task begins any more; those that wait
    are left without a record and without a reason. `store` is for Ray Train's own files.
    """
    import ray

    remote = ray.remote(_run).options(
        num_cpus=0 if workers.num_workers > 1 else workers.cpus,
        num_gpus=0 if workers.num_workers > 1 else workers.gpus,
        max_retries=_TRIES_AFTER_LOSS,
    )
    waiting: list[TaskT] = []
    for task in tasks:
        if task.is_done():
            on_end(task, Ended(None, None))
        else:
            waiting.append(task)
    running: dict[Any, TaskT] = {}
    failed: dict[str, str] = {}
    limit = at_once or len(waiting)
    while waiting or running:
        if waiting and not may_start():
            waiting.clear()
        for task in list(waiting):
            needed = needs(task)
            if needed is not None and needed.name in failed:
                waiting.remove(task)
                failed[task.name] = f"{needed.name} failed, whose record it needs"
                on_end(task, Ended(None, failed[task.name]))
            elif len(running) < limit and (needed is None or needed.is_done()):
                waiting.remove(task)
                on_start(task)
                running[remote.remote(task, workers, num_threads, store)] = task
        if running:
            ready, _ = ray.wait(list(running), num_returns=1)
            task, ended = running.pop(ready[0]), _ended(ready[0])
            if ended.error is not None:
                failed[task.name] = ended.error
            on_end(task, ended)
    return failed


def _run(task: PooledTask, workers: Workers, num_threads: int, store: Store) -> str:
    if workers.num_workers == 1:
        run_here(task, _silent, num_threads)
    else:
        name = task.name.replace("/", "_")
        run_on_workers(task, num_threads, workers, store, name, in_trial=False)
    return this_process()


def _ended(reference: Any) -> Ended:
    import ray

    try:
        return Ended(ray.get(reference), None)
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        return Ended(None, f"{type(cause).__name__}: {cause}")


def _silent(metrics: dict[str, Any]) -> None:
    """A pooled task's progress shows when it ends."""
