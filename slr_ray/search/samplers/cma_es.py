"""CMA-ES: a normal distribution that moves towards what was good."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field

from slr_ray.errors import ConfigError
from slr_ray.search.samplers.places import place_of_value, values_at
from slr_ray.search.samplers.sampler import SamplerConfig, seed_of
from slr_ray.search.samplers.tpe import PerTrialTpe, Tpe
from slr_ray.search.spaces.space import Parameter, Tree, parameters


class CmaEs(SamplerConfig):
    """CMA-ES (arXiv 1604.00772) over the numbers that every trial has; TPE draws the rest.

    It can't hold categories, nor what only some branches have. One objective.
    """

    kind: Literal["cma_es"] = "cma_es"
    population: int | None = Field(None, ge=4)
    """Complete trials of a generation; None = 4 + 3 ln(number of its parameters)."""
    step_size: float = Field(0.2, gt=0, le=1)
    """The first standard deviation, as a share of each range."""

    def build(self, space: Tree, seed: int) -> BaseSampler:
        axes = _axes(space)
        if len(axes) < 2:
            found = ", ".join(axes) or "none"
            raise ConfigError(
                "search.sampler: cma_es needs two numbers or more that every trial has, outside of "
                f"branches and not under choice; this space has {found}: take tpe"
            )
        return _PerTrialCmaEs(axes, seed, self.population, self.step_size)

    def described(self, space: Tree) -> str:
        axes = _axes(space)
        rest = [one.path for one in parameters(space) if one.name not in axes]
        told = f"CMA-ES over {', '.join(axes)}"
        return told + (f"; TPE over {', '.join(dict.fromkeys(rest))}" if rest else "")


def _axes(space: Tree) -> dict[str, BaseDistribution]:
    """The numbers outside of branches that can be more than one thing."""
    found = {}

    def walk(node: Any) -> None:
        if isinstance(node, Parameter):
            distribution = node.distribution
            if not (isinstance(distribution, CategoricalDistribution) or distribution.single()):
                found[node.name] = distribution
        elif isinstance(node, dict):
            for one in node.values():
                walk(one)

    walk(space)
    return found


class _PerTrialCmaEs(PerTrialTpe):
    """The distribution is worked out anew for each trial from the complete ones, in their order.

    Optuna's own keeps it in the journal, pickled: that could be no longer read after a kill, and
    must not be read from a run that somebody else gave.
    """

    def __init__(
        self,
        axes: dict[str, BaseDistribution],
        seed: int,
        population: int | None,
        step_size: float,
    ) -> None:
        super().__init__(seed, Tpe().num_startup_trials)
        self._axes, self._population, self._step_size = axes, population, step_size

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._axes

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        from cmaes import CMA

        size = len(self._axes)
        found = CMA(
            mean=np.full(size, 0.5),
            sigma=self._step_size,
            bounds=np.tile([0.0, 1.0], (size, 1)),
            seed=seed_of(self.seed, trial.number),
            population_size=self._population,
        )
        complete = [
            one
            for one in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if one.params.keys() >= self._axes.keys()
        ]
        for start in range(0, len(complete), found.population_size):
            generation = complete[start : start + found.population_size]
            if len(generation) == found.population_size:
                # It looks at nothing but their order.
                ranked = sorted(generation, key=_badness)
                found.tell([(self._point(one), float(rank)) for rank, one in enumerate(ranked)])
        return values_at(self._axes, found.ask())

    def _point(self, trial: FrozenTrial) -> np.ndarray:
        return np.array(
            [place_of_value(axis, float(trial.params[name])) for name, axis in self._axes.items()]
        )


def _badness(trial: FrozenTrial) -> tuple[float, float, int]:
    """By how much limits are broken, then the value; the earlier of equals is better."""
    broken = sum((max(one, 0.0) for one in trial.constraints.values()), 0.0)
    return broken, -(trial.value or 0.0), trial.number
