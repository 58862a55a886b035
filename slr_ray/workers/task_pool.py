"""Many independent tasks on Ray, as many at once as fit; each may wait for another's end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from slr_ray.records.log import this_process
from slr_ray.storage import Store
from slr_ray.workers.execution import Task, Workers, run_here, run_on_workers
from slr_ray.workers.losses import UnusableNode, cause_of, is_loss, told

_MOST_LOSSES = 10
"""Of a task whose process or node is lost; it goes on from its stages."""
_LOOK_EVERY_S = 1.0


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
    on_loss: Callable[[TaskT, str], None] = lambda *_: None,
    on_end: Callable[[TaskT, Ended], None] = lambda *_: None,
    on_wait: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Run every task that has no record yet; returns the reasons of those that failed, by name.

    Ray must be running. `needs` names the task whose record another one reads: it waits for that,
    and fails where that failed. Once `may_start` says no, no task begins any more; those that wait
    are left without a record and without a reason. `store` is for Ray Train's own files. `on_wait`
    is called every second or so, and may raise. Raises `UnusableNode`.
    """
    import ray

    remote = ray.remote(_run).options(
        num_cpus=0 if workers.num_workers > 1 else workers.cpus,
        num_gpus=0 if workers.num_workers > 1 else workers.gpus,
        max_retries=0,
    )
    waiting: list[TaskT] = []
    for task in tasks:
        if task.is_done():
            on_end(task, Ended(None, None))
        else:
            waiting.append(task)
    running: dict[Any, TaskT] = {}
    who: dict[str, str] = {}
    losses: Counter[str] = Counter()
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
                running[remote.remote(task, workers, num_threads, store)] = task
        ready, _ = ray.wait(list(running), timeout=_LOOK_EVERY_S) if running else ([], [])
        on_wait()
        for said in ready:
            task = running[said]
            try:
                who[task.name] = ray.get(next(said))
                on_start(task)
                continue
            except StopIteration:
                on_end(task, Ended(who[task.name], None))
            except ray.exceptions.RayError as error:
                cause = cause_of(error)
                if isinstance(cause, UnusableNode):
                    raise cause from None
                losses[task.name] += is_loss(error)
                if is_loss(error) and losses[task.name] <= _MOST_LOSSES:
                    on_loss(task, told(error))
                    waiting.insert(0, task)
                else:
                    failed[task.name] = told(error)
                    on_end(task, Ended(None, failed[task.name]))
            del running[said]
    return failed


def _run(task: PooledTask, workers: Workers, num_threads: int, store: Store) -> Iterator[str]:
    """Run the task; says once who does, as soon as it has begun."""
    yield this_process()
    if workers.num_workers == 1:
        run_here(task, _silent, num_threads, workers)
    else:
        run_on_workers(task, num_threads, workers, store, task.name, in_trial=False)


def _silent(metrics: dict[str, Any]) -> None:
    """A pooled task's progress shows when it ends."""
