"""The median rule."""

from __future__ import annotations

from statistics import median
from typing import Literal

from optuna.pruners import BasePruner
from pydantic import Field

from slr_ray.search.schedulers.scheduler import RoundsPruner, SchedulerConfig


class Median(SchedulerConfig):
    """Stops a trial below the median of what others had at its round (Vizier, KDD 2017).

    Vizier compares with running averages of complete trials. What a trial reports is the best of
    its rounds so far, so we compare that, and with all that came to the round: among complete
    trials alone the median would rise as the search goes on, since bad ones never complete.
    """

    kind: Literal["median"] = "median"
    num_trials: int = Field(4, ge=1)
    """Others that must have come to the round before anything is stopped there."""

    def build(self, num_rounds: int, window: int | None) -> BasePruner:
        return _BelowMedian(self.num_trials, window)


class _BelowMedian(RoundsPruner):
    def __init__(self, num_trials: int, window: int | None) -> None:
        super().__init__(window)
        self._num_trials = num_trials

    def lags(self, value: float, others: list[float]) -> bool:
        return len(others) >= self._num_trials and value < median(others)
