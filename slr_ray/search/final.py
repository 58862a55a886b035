"""The final comparison on Ray: all arms and seeds in parallel, each once; then the best one."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.records.stages import loads
from slr_ray.search.arms import ARMS, BEST, ArmTask, Candidates
from slr_ray.search.context import RunContext
from slr_ray.search.listeners import RunListener
from slr_ray.workers.execution import Workers
from slr_ray.workers.task_pool import Ended, run_pool


def compare_arms(
    context: RunContext,
    candidates: Candidates,
    seeds: Sequence[int],
    workers: Workers,
    listener: RunListener,
) -> dict[str, str]:
    """Run every arm on every seed that has no record yet. Ray must be running.

    Returns the reasons of those that failed for good, by ARM/SEED.
    """
    tasks = {
        (arm.name, seed): ArmTask(context, arm.name, seed, arm.make(candidates))
        for arm in ARMS
        for seed in seeds
    }
    waits_for = {arm.name: arm.equal_steps_to for arm in ARMS}

    def needs(task: ArmTask) -> ArmTask | None:
        needed = waits_for[task.arm]
        return None if needed is None else tasks[needed, task.seed]

    def on_end(task: ArmTask, ended: Ended) -> None:
        listener.arm_ended(task.arm, task.seed, ended.who, ended.error)

    return run_pool(
        # Those first that others wait for.
        sorted(tasks.values(), key=lambda one: one.arm not in waits_for.values()),
        workers,
        context.num_threads,
        context.folder.ray.join("train"),
        needs=needs,
        on_start=lambda task: listener.arm_started(task.arm, task.seed),
        on_end=on_end,
    )


def hand_out_best(context: RunContext, seeds: Sequence[int]) -> None:
    """Put the best trial's seed that validated best under `best/`."""
    folders = {seed: context.folder.arm(BEST, seed) for seed in seeds}
    values = {
        seed: getattr(folder.arm().validation, context.metric) for seed, folder in folders.items()
    }
    chosen = max(seeds, key=lambda seed: values[seed])
    # A checkpoint that can't be loaded safely must not be handed out.
    loads(folders[chosen].read_checkpoint())
    context.folder.write_best(folders[chosen], chosen)
