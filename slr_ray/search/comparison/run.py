"""The final comparison on Ray: all arms and draws in parallel, each once; then the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slr_ray.records.stages import loads
from slr_ray.search.comparison.arms import ARMS, BEST, ArmTask, Candidates
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.search.listeners import RunListener
from slr_ray.workers.execution import Workers
from slr_ray.workers.task_pool import Ended, run_pool
from slr_ray.workers.waiting import NodeWatch


def compare_arms(
    context: RunContext,
    candidates: Mapping[int | None, Candidates],
    draws: Sequence[Draw],
    workers: Workers,
    listener: RunListener,
    watch: NodeWatch | None = None,
) -> dict[str, str]:
    """Run every arm on every draw that has no record yet. Ray must be running.

    `candidates` are those of each fold, or of None; `watch` looks after a cluster's nodes.

    Returns the reasons of those that failed for good, by ARM/SEED and fold where there are any.
    """
    tasks = {
        (arm.name, draw): ArmTask(context, arm.name, draw, draw.of(arm.make(candidates[draw.fold])))
        for arm in ARMS
        for draw in draws
    }
    waits_for = {arm.name: arm.equal_steps_to for arm in ARMS}

    def needs(task: ArmTask) -> ArmTask | None:
        needed = waits_for[task.arm]
        return None if needed is None else tasks[needed, task.draw]

    def on_end(task: ArmTask, ended: Ended) -> None:
        listener.arm_ended(task.label, task.seed, ended.who, ended.error)

    def on_wait() -> None:
        listener.went_on()
        problem = watch.problem() if watch is not None else None
        if problem is not None:
            raise problem

    return run_pool(
        # Those first that others wait for.
        sorted(tasks.values(), key=lambda one: one.arm not in waits_for.values()),
        workers,
        context.num_threads,
        context.folder.ray.join("train"),
        needs=needs,
        on_start=lambda task: listener.arm_started(task.label, task.seed),
        on_loss=lambda task, reason: listener.arm_restarted(task.label, task.seed, reason),
        on_end=on_end,
        on_wait=on_wait,
    )


def hand_out_best(context: RunContext, draws: Sequence[Draw]) -> None:
    """Put the best trial's draw that validated best under `best/`.

    With folds that is the model of one of them: its configuration names which.
    """
    folders = {draw: context.folder.arm(BEST, draw.seed, draw.fold) for draw in draws}
    values = {
        draw: getattr(folder.arm().validation, context.metric) for draw, folder in folders.items()
    }
    chosen = max(draws, key=lambda draw: values[draw])
    # A checkpoint that can't be loaded safely must not be handed out.
    loads(folders[chosen].read_checkpoint())
    context.folder.write_best(folders[chosen], chosen.seed)
