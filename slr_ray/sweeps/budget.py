"""How much a call of a sweep may use before it begins no further cell."""

from __future__ import annotations

import time

from slr_ray.search.listeners import RunListener


class Budget(RunListener):
    """Wall time, and the GPU-hours of all cells that this call began."""

    def __init__(self, wall_s: float | None, gpu_hours: float | None, gpus_a_cell: float) -> None:
        self._wall_s, self._gpu_hours, self._gpus = wall_s, gpu_hours, gpus_a_cell
        self._began = time.monotonic()
        self._running: dict[tuple[str, int], float] = {}
        self._ended_s = 0.0

    def arm_started(self, arm: str, seed: int) -> None:
        self._running[arm, seed] = time.monotonic()

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        started = self._running.pop((arm, seed), None)
        if started is not None:
            self._ended_s += time.monotonic() - started

    @property
    def is_limited(self) -> bool:
        return self._wall_s is not None or self._gpu_hours is not None

    def is_left(self) -> bool:
        """Whether another cell may begin."""
        now = time.monotonic()
        if self._wall_s is not None and now - self._began >= self._wall_s:
            return False
        used_s = self._ended_s + sum(now - one for one in self._running.values())
        return self._gpu_hours is None or used_s * self._gpus / 3600 < self._gpu_hours
