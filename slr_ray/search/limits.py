"""When a search ends before its trials are done: a budget is spent, or it is pointless to go on."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass
from typing import Any

from ray.tune import Stopper

from slr_ray.durations import duration
from slr_ray.errors import ClusterError
from slr_ray.records.tries import Tries, spent
from slr_ray.search.listeners import RunListener
from slr_ray.workers.run_options import RunOptions
from slr_ray.workers.waiting import NodeWatch

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class TuneLimits:
    """How much the search may do."""

    num_trials: int
    time_budget_s: float | None = None
    max_gpu_hours: float | None = None
    max_cpu_hours: float | None = None
    max_failures: int = 1
    """Restarts that one trial gets, where it raised, before it counts as failed."""
    max_lost: int = 10
    """Restarts that one trial gets, where its process or node was lost."""
    max_concurrent: int | None = None

    @classmethod
    def of(cls, options: RunOptions, num_trials: int) -> TuneLimits:
        """Those of the options; money is a limit of hours."""
        gpu_hours, cpu_hours = options.max_gpu_hours, options.max_cpu_hours
        if options.max_cost is not None and options.price_per_hour is not None:
            paid = options.max_cost / options.price_per_hour
            if options.trial_gpus:
                gpu_hours = min(paid, gpu_hours or paid)
            else:
                cpu_hours = min(paid, cpu_hours or paid)
        return cls(
            num_trials,
            options.time_budget_s,
            gpu_hours,
            cpu_hours,
            options.max_failures,
            options.max_lost,
            options.max_concurrent,
        )


class SearchEnd(Stopper):  # type: ignore[misc]  # Ray ships no types
    """Looked at by Tune all the time: whether the search is to stop, and why."""

    def __init__(
        self, limits: TuneLimits, tries: Tries, listener: RunListener, watch: NodeWatch | None
    ) -> None:
        """`tries` are those of the whole run; `watch` is for a cluster."""
        self._limits, self._tries = limits, tries
        self._listener, self._watch = listener, watch
        self._started = self._looked = time.monotonic()
        self.reason: str | None = None
        """The budget that is spent: what there is by now is compared."""
        self.error: ClusterError | None = None
        """Why the search can't go on."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    @property
    def is_over(self) -> bool:
        return self.reason is not None or self.error is not None

    def stop_all(self) -> bool:
        now = time.monotonic()
        if not self.is_over and now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            self._listener.went_on()
            self.error = self._watch.problem() if self._watch is not None else None
            self.reason = self._spent_budget(now - self._started)
        return self.is_over

    def _spent_budget(self, elapsed_s: float) -> str | None:
        limits = self._limits
        if limits.time_budget_s is not None and elapsed_s >= limits.time_budget_s:
            return f"the time budget of {duration(limits.time_budget_s)}"
        if limits.max_gpu_hours is None and limits.max_cpu_hours is None:
            return None
        so_far = spent(self._tries.at(datetime.datetime.now(datetime.UTC)))
        for name, hours, most in (
            ("GPU-hours", so_far.gpu_h, limits.max_gpu_hours),
            ("processor-hours", so_far.cpu_h, limits.max_cpu_hours),
        ):
            if most is not None and hours >= most:
                return f"the budget of {most:.3g} {name}"
        return None

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its stopper; ours is made anew by each start of the command.
        return {}
