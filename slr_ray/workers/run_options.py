"""How a run uses machines."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from slr_ray.config import Config, build
from slr_ray.errors import ConfigError
from slr_ray.options import refuse_beside
from slr_ray.workers.execution import Names, Workers


class ClusterOptions(Config):
    """Where workers are, and how they come."""

    address: str | None = None
    wait_for_nodes: bool = False
    wait_at_most_s: float = Field(1800.0, gt=0)
    shared_storage: bool = False
    """Whether the cluster's machines share the local folders that are named."""


class RunOptions(ClusterOptions):
    """How a run uses machines; none of it changes what a trial computes."""

    time_budget_s: float | None = Field(None, gt=0)
    max_gpu_hours: float | None = Field(None, gt=0)
    max_cpu_hours: float | None = Field(None, gt=0)
    max_cost: float | None = Field(None, gt=0)
    price_per_hour: float | None = Field(None, gt=0)
    """Of one GPU; where trials take none, of one processor."""
    max_failures: int = Field(1, ge=0)
    """Restarts of a trial that failed by itself."""
    max_lost: int = Field(10, ge=0)
    """Restarts of a trial whose process or node was lost."""
    max_concurrent: int | None = Field(None, ge=1)
    deterministic: bool = False
    """Whether trial n begins when those up to n - `max_concurrent` have ended."""
    trial_workers: int = Field(1, ge=1)
    trial_cpus: float = Field(1.0, gt=0)
    trial_gpus: float = Field(0.0, ge=0)
    share_stages: bool = True

    def workers(self) -> Workers:
        """The resources of one trial; `ConfigError` where no machine could give them."""
        if self.deterministic and self.max_concurrent is None:
            raise ConfigError(
                "--deterministic: give --max-concurrent, too: which trials are tried hangs on how "
                "many run at a time"
            )
        if self.max_gpu_hours is not None and not self.trial_gpus:
            raise ConfigError(
                f"--max-gpu-hours {self.max_gpu_hours:g}: trials take no GPU; give --trial-gpus, "
                "or limit processors with --max-cpu-hours"
            )
        if self.max_cost is not None and self.price_per_hour is None:
            raise ConfigError(
                f"--max-cost {self.max_cost:g}: give the price of a GPU-hour (without GPUs: of a "
                "processor's hour) with --price-per-hour"
            )
        return _with_whole_gpus(
            Workers(self.trial_workers, self.trial_cpus, self.trial_gpus, self.wait_at_most_s)
        )


class GroupOptions(ClusterOptions):
    """How `train` and `pretrain` use machines."""

    num_workers: int = Field(1, ge=1)
    min_workers: int | None = Field(None, ge=1)
    cpus_per_worker: float = Field(1.0, gt=0)
    gpus_per_worker: float = Field(0.0, ge=0)

    def workers(self) -> Workers:
        """The resources of one training; `ConfigError` where no machine could give them."""
        if self.min_workers is not None and self.min_workers >= self.num_workers:
            raise ConfigError(
                f"--min-workers {self.min_workers}: fewer than --workers {self.num_workers} are "
                "meant, with which training goes on where there are no more"
            )
        if self.min_workers is not None and self.address is None:
            raise ConfigError(
                f"--min-workers {self.min_workers}: workers come and go on a cluster only, give "
                "--address, too"
            )
        return _with_whole_gpus(
            Workers(
                self.num_workers,
                self.cpus_per_worker,
                self.gpus_per_worker,
                self.wait_at_most_s,
                self.min_workers,
                _OF_GROUPS,
            )
        )


def group_options(workers: int | None, address: str | None, **others: Any) -> GroupOptions | None:
    """What `--workers` and `--address` ask for; None where a command runs in its own process.

    `others` are fields of `GroupOptions`, None and False where they were not given.
    """
    # Zero is a value, if a wrong one; it equals False.
    given = {name: one for name, one in others.items() if one is not None and one is not False}
    if address is None and workers in (None, 1):
        refuse_beside(
            {f"--{name.removesuffix('_s').replace('_', '-')}": one for name, one in given.items()},
            "without --workers or --address training runs in this process",
        )
        return None
    tree = {"num_workers": workers or 1, "address": address, **given}
    return build(GroupOptions, tree, "command line")


def _with_whole_gpus(workers: Workers) -> Workers:
    if workers.num_workers > 1 and workers.gpus % 1:
        names = workers.names
        raise ConfigError(
            f"{names.gpus} {workers.gpus:g} with {names.workers} {workers.num_workers}: several "
            "workers can't share a GPU; give whole GPUs or one worker"
        )
    return workers


_OF_GROUPS = Names("the training", "--workers", "--cpus-per-worker", "--gpus-per-worker")
