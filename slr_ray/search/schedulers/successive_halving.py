"""Asynchronous successive halving."""

from __future__ import annotations

from typing import Literal

from optuna.pruners import BasePruner
from pydantic import Field

from slr_ray.search.schedulers.scheduler import RoundsPruner, SchedulerConfig


class SuccessiveHalving(SchedulerConfig):
    """ASHA (arXiv 1810.05934): one trial of so many goes on, at rounds that are further and further
    apart.
    """

    kind: Literal["successive_halving"] = "successive_halving"
    reduction: int = Field(3, ge=2)
    """With 3, at rounds 1, 3, 9 and so on a trial goes on where it is in the best third of those
    that were there so far; of two trials the better one."""

    def build(self, num_rounds: int, window: int | None) -> BasePruner:
        return Halving(self.reduction, window)


class Halving(RoundsPruner):
    """Decides at the powers of `reduction`, from `first` on."""

    def __init__(self, reduction: int, window: int | None = None) -> None:
        super().__init__(window)
        self._reduction = reduction

    def first(self, number: int) -> int:
        """The first round at which this trial may be stopped."""
        return 1

    def decides(self, number: int, round_: int) -> bool:
        first, reduction = self.first(number), self._reduction
        while round_ > first and round_ % reduction == 0:
            round_ //= reduction
        return round_ == first

    def lags(self, value: float, others: list[float]) -> bool:
        ranked = sorted([*others, value], reverse=True)
        return value < ranked[max(len(ranked) // self._reduction - 1, 0)]
