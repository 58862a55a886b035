"""What every scheduler is: it decides by the values that trials reported, and by nothing else.

Optuna's pruners keep notes in the trial: after a kill they go on otherwise than they would have.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial

from slr_ray.config import Config


class SchedulerConfig(Config):
    """When a trial that lags behind is stopped."""

    @abstractmethod
    def build(self, num_rounds: int, window: int | None) -> BasePruner:
        """The rule, for trials of at most so many rounds after round 0.

        With a `window` of k, trial n is compared with those up to n - k only, which have ended.
        """


class RoundsPruner(BasePruner):
    """Looks at a trial's last round beside what others had there."""

    def __init__(self, window: int | None = None) -> None:
        self._window = window

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        round_ = trial.last_step
        if round_ is None or not self.decides(trial.number, round_):
            return False
        value = trial.intermediate_values[round_]
        last = math.inf if self._window is None else trial.number - self._window
        others = [
            one.intermediate_values[round_]
            for one in study.get_trials(deepcopy=False)
            if one.number != trial.number
            and one.number <= last
            and round_ in one.intermediate_values
            and self.compares(trial.number, one.number)
        ]
        usable = [one for one in others if not math.isnan(one)]
        return math.isnan(value) or self.lags(value, usable)

    def decides(self, number: int, round_: int) -> bool:
        """Whether trial `number` may be stopped after this round."""
        return True

    def compares(self, number: int, other: int) -> bool:
        """Whether trial `number` is held against another one."""
        return True

    @abstractmethod
    def lags(self, value: float, others: list[float]) -> bool:
        """Whether a value is too far behind those of the others at the same round."""
