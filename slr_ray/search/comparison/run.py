"""The final comparison on Ray: all arms and draws in parallel, each once; then the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slr_ray.records.stages import loads
from slr_ray.search.comparison.arms import BEST, Candidates, arm_cells
from slr_ray.search.comparison.cells import run_cells
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.search.listeners import RunListener
from slr_ray.workers.execution import Workers
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
    cells = arm_cells(context, candidates, draws)
    store = context.folder.ray.join("train")
    return run_cells(cells, workers, context.num_threads, store, listener, watch=watch)


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
