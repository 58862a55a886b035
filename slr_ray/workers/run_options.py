"""How a run uses machines."""

from __future__ import annotations

from pydantic import Field

from slr_ray.config import Config
from slr_ray.errors import ConfigError
from slr_ray.workers.execution import Workers


class RunOptions(Config):
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
    address: str | None = None
    wait_for_nodes: bool = False
    wait_at_most_s: float = Field(1800.0, gt=0)
    shared_storage: bool = False
    """Whether the cluster's machines share the local folders that are named."""
    share_stages: bool = True

    def workers(self) -> Workers:
        """The resources of one trial; `ConfigError` where no machine could give them."""
        if self.deterministic and self.max_concurrent is None:
            raise ConfigError(
                "--deterministic: give --max-concurrent, too: which trials are tried hangs on how "
                "many run at a time"
            )
        if self.trial_workers > 1 and self.trial_gpus % 1:
            raise ConfigError(
                f"--trial-gpus {self.trial_gpus:g} with --trial-workers {self.trial_workers}: "
                "several workers can't share a GPU; give whole GPUs or one worker"
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
        return Workers(
            self.trial_workers, self.trial_cpus, self.trial_gpus, wait_at_most_s=self.wait_at_most_s
        )
