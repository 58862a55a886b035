"""How much a call of a sweep may use before it begins no further cell."""

from __future__ import annotations

import datetime
import time

from slr_ray.durations import duration
from slr_ray.records.tries import Tries, spent


class Budget:
    """Wall time since `begin`, and the GPU-hours of all tries of cells that this call began."""

    def __init__(self, wall_s: float | None, gpu_hours: float | None, tries: Tries) -> None:
        """`tries` are those of the whole sweep; what they took by now was of earlier calls."""
        self._wall_s, self._gpu_hours, self._tries = wall_s, gpu_hours, tries
        self._began: float | None = None
        self._before = self._spent_gpu_h()

    def _spent_gpu_h(self) -> float:
        return spent(self._tries.at(datetime.datetime.now(datetime.UTC))).gpu_h

    def begin(self) -> None:
        """The clock starts: what comes before the first cell can begin is no part of the budget."""
        self._began = time.monotonic()

    @property
    def is_limited(self) -> bool:
        return self._wall_s is not None or self._gpu_hours is not None

    def is_left(self) -> bool:
        """Whether another cell may begin."""
        return self.used_up() is None

    def used_up(self) -> str | None:
        """Which budget is used up and what lifts it, in words; None where none is."""
        wall_s, began = self._wall_s, self._began
        if wall_s is not None and began is not None and time.monotonic() - began >= wall_s:
            return (
                f"the time budget of {duration(wall_s)} was used up; it begins anew with --resume "
                "RUN, to which e.g. --time-budget 8h gives another"
            )
        gpu_hours = self._gpu_hours
        if gpu_hours is not None and self._spent_gpu_h() - self._before >= gpu_hours:
            return (
                f"the budget of {gpu_hours:g} GPU-hours was used up; --resume RUN goes on "
                "without one, unless --gpu-hours gives it another"
            )
        return None
