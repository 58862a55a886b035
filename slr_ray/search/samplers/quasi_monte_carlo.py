"""Quasi-Monte-Carlo: points that cover the space evenly."""

from __future__ import annotations

from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from slr_ray.search.samplers.places import values_at
from slr_ray.search.samplers.sampler import PerTrialSampler, SamplerConfig, place_of
from slr_ray.search.spaces.space import Tree, parameters


class QuasiMonteCarlo(SamplerConfig):
    """A scrambled low-discrepancy sequence: random search without its gaps and clusters.

    Every parameter of every branch is an axis; a trial uses those of the branches that its own
    point takes. Categories have equal parts of theirs.
    """

    kind: Literal["quasi_monte_carlo"] = "quasi_monte_carlo"
    sequence: Literal["sobol", "halton"] = "sobol"
    """Sobol covers best with 2^k trials, Halton with any number in few parameters."""

    def build(self, space: Tree, seed: int) -> BaseSampler:
        return _Sequence(self.sequence, space, seed)

    def described(self, space: Tree) -> str:
        return f"a {self.sequence.capitalize()} sequence"


class _Sequence(PerTrialSampler):
    def __init__(self, sequence: str, space: Tree, seed: int) -> None:
        from scipy.stats import qmc

        super().__init__(seed, {one.name: one.distribution for one in parameters(space)})
        self._engine = {"sobol": qmc.Sobol, "halton": qmc.Halton}[sequence]

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        points = self._engine(len(self.axes), scramble=True, rng=self.seed)
        before = place_of(study, trial)
        if before:
            points.fast_forward(before)
        (point,) = points.random(1)
        return values_at(self.axes, point)
