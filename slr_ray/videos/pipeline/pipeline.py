"""The Ray Data pipeline: rows of the manifest, a pool of workers, results as they come.

Longest clips first: at the end only short ones are left, so that no worker sits idle long. Blocks
hold one clip each (a few in very large corpora), so that a dead worker costs one clip's work, and
every finished clip reaches the driver at once. The rows go in as blocks that the driver owns rather
than through `ray.data.read_parquet`: its listing and reading tasks each want a processor, and wait
for ever where the workers already have them all (Ray 2.60). Resuming is the ledger's, not Ray's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from slr_ray.errors import ConfigError, RunFailed
from slr_ray.poses.clip import Clip
from slr_ray.videos.detection.config import ExtractionConfig
from slr_ray.videos.detection.models import Models
from slr_ray.videos.manifests.manifest import Row, to_table
from slr_ray.videos.pipeline.outcome import Outcome
from slr_ray.videos.pipeline.watch import AtWork, start_watch
from slr_ray.videos.pipeline.worker import Bundles, Worker, read_result

_MAX_BLOCKS = 8_000


@dataclass(frozen=True)
class Pool:
    """Workers: each holds a pair of landmarkers and reserves `cpus` processors."""

    min_actors: int = 1
    max_actors: int | None = None
    """As many as there are processors for, if not given."""
    cpus_per_actor: float = 1.0
    can_grow: bool = False
    """Whether nodes may be added while work goes on; they then get workers too."""
    wait_for_nodes: bool = False
    """Whether to begin where no node can hold a worker yet, as an autoscaler will add one."""


@dataclass
class Running:
    """A pipeline at work, for whoever shows progress."""

    num_actors: int
    """How many there are at the start."""
    first_begun: Callable[[], float | None]
    """When the first worker took its first clip (`time.time`)."""
    at_work: Callable[[], list[AtWork]]
    clips_by_node: Callable[[], dict[str, int]]


def results(
    rows: Sequence[Row],
    attempts: dict[str, int],
    config: ExtractionConfig,
    models: Models,
    pool: Pool,
    on_start: Callable[[Running], None] = lambda _: None,
) -> Generator[tuple[Outcome, Clip | None], None, None]:
    """Every row's end, in the order in which they come; needs a connected Ray.

    `attempts` are how often clips were begun in earlier runs. A clip may come twice where Ray works
    out a lost result again: the ledger takes the first. Raises `ConfigError` where no node can hold
    a worker, `RunFailed` where the workers can't start at all.
    """
    import ray

    num_actors = _num_actors(pool, len(rows))
    most = pool.max_actors or (len(rows) if pool.can_grow else num_actors)
    watch = start_watch(f"slr_ray-extraction-{uuid.uuid4().hex}")
    on_start(
        Running(
            num_actors,
            lambda: ray.get(watch.first_begun.remote()),
            lambda: list(ray.get(watch.at_work.remote())),
            lambda: dict(ray.get(watch.clips_by_node.remote())),
        )
    )
    dataset = ray.data.from_blocks(_blocks(rows, attempts)).map_batches(
        Worker,
        fn_constructor_args=(
            config.model_dump(mode="json"),
            [ray.put(Bundles.of(models))],
            watch,
        ),
        # One at a time: a result leaves the worker before the next clip begins.
        batch_size=1,
        batch_format="pyarrow",
        num_cpus=pool.cpus_per_actor,
        compute=ray.data.ActorPoolStrategy(
            min_size=min(pool.min_actors, num_actors),
            max_size=max(num_actors, min(most, len(rows))),
            initial_size=num_actors,
        ),
    )
    with _quiet():
        try:
            for table in dataset.iter_batches(
                batch_size=None, batch_format="pyarrow", prefetch_batches=0
            ):
                for row in table.to_pylist():
                    yield read_result(row)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            raise RunFailed(
                f"the pool of workers failed: {str(cause).strip().splitlines()[-1]}. Finished "
                "clips are kept: run the command again"
            ) from error
        finally:
            ray.kill(watch)


def _num_actors(pool: Pool, num_clips: int) -> int:
    """Workers to begin with."""
    import ray

    nodes = [one["Resources"].get("CPU", 0.0) for one in ray.nodes() if one["Alive"]]
    largest = max(nodes, default=0.0)
    if largest < pool.cpus_per_actor and not pool.wait_for_nodes:
        raise ConfigError(
            f"--cpus-per-actor {pool.cpus_per_actor:g}: the largest node has {largest:g} "
            "processors; lower it, or pass --wait-for-nodes where an autoscaler adds larger ones"
        )
    fitting = max(pool.min_actors, sum(int(cpus // pool.cpus_per_actor) for cpus in nodes))
    return max(1, min(pool.max_actors or fitting, fitting, num_clips))


def _blocks(rows: Sequence[Row], attempts: dict[str, int]) -> list[pa.Table]:
    ordered = sorted(rows, key=lambda row: -row.estimated_s)
    table = to_table(ordered).append_column(
        "attempts", pa.array([attempts.get(row.clip_id, 0) for row in ordered], pa.int64())
    )
    size = -(-len(ordered) // _MAX_BLOCKS)
    # `take` copies: a slice would send the whole table with every block.
    return [
        table.take(pa.array(range(start, min(start + size, len(ordered)))))
        for start in range(0, len(ordered), size)
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Ray Data's own progress bars and plans, off: ours say it in clips and frames."""
    import ray

    context = ray.data.DataContext.get_current()
    logger = logging.getLogger("ray.data")
    before: Any = context.enable_progress_bars, logger.level
    context.enable_progress_bars = False
    logger.setLevel(logging.CRITICAL if not os.environ.get("SLR_RAY_DEBUG") else logging.DEBUG)
    try:
        yield
    finally:
        context.enable_progress_bars = before[0]
        logger.setLevel(before[1])
