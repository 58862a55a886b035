"""Hyperband: successive halving that begins at several rounds."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Literal

from optuna.pruners import BasePruner
from pydantic import Field

from slr_ray.errors import ConfigError
from slr_ray.search.schedulers.scheduler import SchedulerConfig
from slr_ray.search.schedulers.successive_halving import Halving


class Hyperband(SchedulerConfig):
    """Hyperband (arXiv 1603.06560): part of the trials is halved from round 1 on, others later.

    Halving alone never learns of settings that are slow to gain. The brackets take turns by the
    trial's number, as often as Hyperband gives them trials; each is asynchronous.
    """

    kind: Literal["hyperband"] = "hyperband"
    reduction: int = Field(3, ge=2)

    def build(self, num_rounds: int, window: int | None) -> BasePruner:
        if num_rounds < self.reduction:
            raise ConfigError(
                f"search.scheduler: hyperband with reduction {self.reduction} needs trials of "
                f"{self.reduction} rounds or more, and method.num_rounds is {num_rounds} at most: "
                "take successive_halving, or a smaller search.scheduler.reduction"
            )
        return _Brackets(self.reduction, num_rounds, window)


class _Brackets(Halving):
    def __init__(self, reduction: int, num_rounds: int, window: int | None) -> None:
        super().__init__(reduction, window)
        firsts = [1]
        while firsts[-1] * reduction <= num_rounds:
            firsts.append(firsts[-1] * reduction)
        self._firsts = firsts
        # With brackets from the one that is halved most often: ceil(B / (s + 1) * reduction^s).
        count = len(firsts)
        sizes = [-(-count * reduction**s // (s + 1)) for s in reversed(range(count))]
        self._ends = list(accumulate(sizes))

    def _bracket(self, number: int) -> int:
        return bisect_right(self._ends, number % self._ends[-1])

    def first(self, number: int) -> int:
        return self._firsts[self._bracket(number)]

    def compares(self, number: int, other: int) -> bool:
        return self._bracket(number) == self._bracket(other)
