"""What every sampler is: its draws for trial n hang on the search's seed, n and the history alone.

Optuna's samplers draw from one stream of numbers: after a kill they go on otherwise than they would
have.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from slr_ray.config import Config
from slr_ray.search.spaces.space import Tree

SOURCE = "source"
"""The attribute of a trial that says whether its setting was given or searched."""
GIVEN = "start_from"


class SamplerConfig(Config):
    """How settings are drawn."""

    @abstractmethod
    def build(self, space: Tree, seed: int) -> BaseSampler:
        """The sampler; `ConfigError` where it can't search the space."""

    def check(self, space: Tree, num_searched: int) -> None:
        """`ConfigError` where it can't draw so many trials from the space."""
        self.build(space, 0)

    @abstractmethod
    def described(self, space: Tree) -> str:
        """For the plan that is printed: what draws which parameters."""


def seed_of(*of: int | str) -> int:
    """A seed that hangs on all of these."""
    digest = hashlib.sha256("/".join(map(str, of)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


class PerTrialSampler(BaseSampler):
    """Random numbers hang on the search's seed, the trial's number and the parameter.

    This one draws each parameter by itself, evenly over its range. `axes` are those that a class
    below draws together instead.
    """

    def __init__(self, seed: int, axes: dict[str, BaseDistribution] | None = None) -> None:
        self.seed, self.axes = seed, axes or {}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self.axes

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        # A kill may come between two of them: each has numbers of its own.
        own = RandomSampler(seed=seed_of(self.seed, trial.number, param_name))
        return own.sample_independent(study, trial, param_name, param_distribution)


def place_of(study: optuna.Study, trial: FrozenTrial) -> int:
    """How many trials came before this one whose settings were not given."""
    before = study.get_trials(deepcopy=False)[: trial.number]
    return sum(one.user_attrs.get(SOURCE) != GIVEN for one in before)
