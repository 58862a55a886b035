"""The tree-structured Parzen estimator."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial
from pydantic import Field

from slr_ray.search.samplers.sampler import PerTrialSampler, SamplerConfig, seed_of
from slr_ray.search.spaces.space import Tree


class Tpe(SamplerConfig):
    """TPE (arXiv 2304.11127) over all parameters that trials have in common, branch by branch.

    Good settings and the rest get a density each; where their ratio is highest is tried next. Knows
    categories, branches, several objectives and limits.
    """

    kind: Literal["tpe"] = "tpe"
    num_startup_trials: int = Field(8, ge=1)
    """Trials drawn at random before it, those of `start_from` among them."""

    def build(self, space: Tree, seed: int) -> BaseSampler:
        return PerTrialTpe(seed, self.num_startup_trials)

    def described(self, space: Tree) -> str:
        return f"TPE after {self.num_startup_trials} random trials"


class PerTrialTpe(PerTrialSampler):
    """TPE with random numbers of its own for each trial and parameter."""

    def __init__(self, seed: int, num_startup_trials: int) -> None:
        super().__init__(seed)
        self._num_startup_trials = num_startup_trials
        self._joint = self._sampler()

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        # Optuna draws the joint parameters right after this, and with the groups found here.
        self._joint = self._sampler(trial.number)
        return self._joint.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._joint.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        own = self._sampler(trial.number, param_name)
        return own.sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, *of: int | str) -> TPESampler:
        with warnings.catch_warnings():
            # constant_liar and group are what Optuna advises for parallel trials and for
            # conditional spaces; the label says only that their interface may still change.
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(
                seed=seed_of(self.seed, *of),
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=self._num_startup_trials,
            )
