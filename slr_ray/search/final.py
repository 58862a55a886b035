"""The final comparison on Ray: all arms and seeds in parallel, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray

from slr_ray.search.arms import ARMS, Arm, ArmTask
from slr_ray.search.job import Job
from slr_ray.search.live import LiveView
from slr_ray.search.space import Tree
from slr_ray.workers.execution import Workers, next_ended, run_here, run_on_workers


@dataclass(frozen=True)
class FailedArm:
    """An arm that could not be evaluated."""

    arm: Arm
    seed: int
    error: str


def compare(
    job: Job, trees: dict[Arm, Tree], seeds: Sequence[int], workers: Workers, view: LiveView
) -> list[FailedArm]:
    """Run every arm on every seed that has no record yet. Ray must be running.

    An arm's restart after a lost node goes on from its stages. Returns what failed for good.
    """
    waiting: list[ArmTask] = []
    for arm in ARMS:
        for seed in seeds:
            task = ArmTask(job, arm, seed, trees[arm])
            if task.is_done():
                view.arm_finished(arm, seed, fresh=False)
            else:
                waiting.append(task)
    running: dict[Any, ArmTask] = {}
    failed: list[FailedArm] = []
    remote = ray.remote(_run_arm).options(
        num_cpus=0 if workers.num_workers > 1 else workers.cpus,
        num_gpus=0 if workers.num_workers > 1 else workers.gpus,
        max_retries=2,
    )
    while waiting or running:
        for task in list(waiting):
            # The equal-steps arm reads from the searched arm's record how many steps that took.
            needed = ArmTask(job, "sslr_best", task.seed, trees["sslr_best"])
            if task.arm == "fsl_equal_steps" and not needed.is_done():
                if any(one.arm == "sslr_best" and one.seed == task.seed for one in failed):
                    waiting.remove(task)
                    failed.append(FailedArm(task.arm, task.seed, "sslr_best failed on this seed"))
                continue
            waiting.remove(task)
            running[remote.remote(task, workers)] = task
        if not running:
            continue
        task, reason = next_ended(running)
        if reason is not None:
            failed.append(FailedArm(task.arm, task.seed, reason))
        view.arm_finished(task.arm, task.seed, fresh=True)
    return failed


def _run_arm(task: ArmTask, workers: Workers) -> None:
    if workers.num_workers == 1:
        run_here(task, _ignore, task.job.num_threads)
        return
    name = f"{task.arm}_{task.seed}"
    store = task.job.store.join("ray/train")
    run_on_workers(task, task.job.num_threads, workers, store, name, in_trial=False)


def _ignore(metrics: dict[str, Any]) -> None:
    """An arm's progress shows when it ends."""
