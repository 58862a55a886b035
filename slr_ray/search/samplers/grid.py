"""A grid: every combination of a few values of each parameter."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from pydantic import Field

from slr_ray.errors import ConfigError
from slr_ray.search.samplers.places import levels
from slr_ray.search.samplers.sampler import PerTrialSampler, SamplerConfig, place_of
from slr_ray.search.spaces.space import Branch, Parameter, Tree, parameters

_MOST = 1_000_000
"""Settings of a grid: what is larger will not be tried."""


class Grid(SamplerConfig):
    """Every combination once, branch by branch, in an order that the search's seed shuffles.

    A search that is cut off has then tried a part of the whole grid, not one corner of it.
    """

    kind: Literal["grid"] = "grid"
    points: int = Field(3, ge=2)
    """Values of a range, from end to end. Categories, and whole numbers where they are no more, are
    all tried."""

    def build(self, space: Tree, seed: int) -> BaseSampler:
        return _GridSampler(_Grid(space, self.points), seed)

    def check(self, space: Tree, num_searched: int) -> None:
        size = _Grid(space, self.points).size
        told = f"search.sampler: the grid of {self.points} points a range has {size:,} settings"
        if size > _MOST:
            raise ConfigError(
                f"{told}: fix some of the {len(parameters(space))} parameters by overrides, lower "
                "search.sampler.points, or take quasi_monte_carlo"
            )
        if num_searched > size:
            raise ConfigError(
                f"{told}, and {num_searched} trials are to be searched: lower search.num_trials by "
                f"{num_searched - size}, or raise search.sampler.points"
            )

    def described(self, space: Tree) -> str:
        return f"a grid of {_Grid(space, self.points).size:,} settings in shuffled order"


class _Grid:
    """A space's grid by number; nothing is listed, as it may be long."""

    def __init__(self, space: Tree, points: int) -> None:
        self.space, self._points = space, points
        self.size = self._size(space)

    def _size(self, node: Any) -> int:
        if isinstance(node, Parameter):
            return len(levels(node.distribution, self._points))
        if isinstance(node, Branch):
            return sum(self._size(option) for option in node.options.values())
        if isinstance(node, dict):
            return math.prod(self._size(one) for one in node.values())
        return 1

    def setting(self, number: int) -> dict[str, Any]:
        """By Optuna's names."""
        return self._pick(self.space, number)

    def _pick(self, node: Any, number: int) -> dict[str, Any]:
        if isinstance(node, Parameter):
            return {node.name: levels(node.distribution, self._points)[number]}
        if isinstance(node, Branch):
            for kind, option in node.options.items():
                size = self._size(option)
                if number < size:
                    return {node.name: kind, **self._pick(option, number)}
                number -= size
        found: dict[str, Any] = {}
        if isinstance(node, dict):
            for one in node.values():
                number, own = divmod(number, self._size(one))
                found |= self._pick(one, own)
        return found


class _GridSampler(PerTrialSampler):
    def __init__(self, grid: _Grid, seed: int) -> None:
        super().__init__(seed, {one.name: one.distribution for one in parameters(grid.space)})
        self._grid = grid
        self._order = np.random.default_rng(seed).permutation(min(grid.size, _MOST))

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        place = place_of(study, trial) % len(self._order)
        return self._grid.setting(int(self._order[place]))
