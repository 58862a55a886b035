"""How much a call of a sweep may use before it begins no further cell."""

from __future__ import annotations

import datetime
import time

from slr_ray.records.tries import Tries, spent


class Budget:
    """Wall time, and the GPU-hours of all tries of cells that this call began."""

    def __init__(self, wall_s: float | None, gpu_hours: float | None, tries: Tries) -> None:
        """`tries` are those of the whole sweep; what they took by now was of earlier calls."""
        self._wall_s, self._gpu_hours, self._tries = wall_s, gpu_hours, tries
        self._began = time.monotonic()
        self._before = self._spent_gpu_h()

    def _spent_gpu_h(self) -> float:
        return spent(self._tries.at(datetime.datetime.now(datetime.UTC))).gpu_h

    @property
    def is_limited(self) -> bool:
        return self._wall_s is not None or self._gpu_hours is not None

    def is_left(self) -> bool:
        """Whether another cell may begin."""
        if self._wall_s is not None and time.monotonic() - self._began >= self._wall_s:
            return False
        return self._gpu_hours is None or self._spent_gpu_h() - self._before < self._gpu_hours
