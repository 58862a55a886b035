"""What a setting is measured on: label draws, in every fold of the split where a run has folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slr_ray.experiment.experiment import Experiment


@dataclass(frozen=True)
class Draw:
    """One label draw; `fold` is None where the run has one split only."""

    seed: int
    fold: int | None = None

    def of(self, config: Experiment) -> Experiment:
        """The experiment in this draw's fold."""
        return config.in_fold(self.fold)

    @property
    def place(self) -> str:
        """For names: the seed, and the fold where there is one."""
        return f"{self.seed}" if self.fold is None else f"{self.seed} fold {self.fold}"


def search_draws(seeds: Sequence[int], num_folds: int | None) -> tuple[Draw, ...]:
    """What each trial averages over.

    With folds, seeds and folds in rotation until each of both was there: every fold must have an
    opinion of every trial, for it chooses its own, but all pairs would cost too much.
    """
    if num_folds is None:
        return tuple(Draw(seed) for seed in seeds)
    count = max(num_folds, len(seeds))
    return tuple(Draw(seeds[one % len(seeds)], one % num_folds) for one in range(count))


def final_draws(seeds: Sequence[int], num_folds: int | None) -> tuple[Draw, ...]:
    """What each arm is measured on: every fold on every seed."""
    folds = [None] if num_folds is None else range(num_folds)
    return tuple(Draw(seed, fold) for seed in seeds for fold in folds)
