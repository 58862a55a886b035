"""Every trial comes to its end."""

from __future__ import annotations

from typing import Literal

from optuna.pruners import BasePruner, NopPruner

from slr_ray.search.schedulers.scheduler import SchedulerConfig


class NoStopping(SchedulerConfig):
    """No trial is stopped early."""

    kind: Literal["none"] = "none"

    def build(self, num_rounds: int, window: int | None) -> BasePruner:
        return NopPruner()
