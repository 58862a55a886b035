"""A search that hangs on its history alone: what is drawn for a trial, and when it stops early.

Optuna's sampler draws from one stream of numbers, and its halving keeps notes in the trial: after a
kill both go on otherwise than they would have.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial

_KEPT = 3
"""One trial of so many goes on; the rounds at which that is decided are the powers of it."""


class PerTrialSampler(BaseSampler):
    """TPE whose random numbers hang on the search's seed, the trial's number and the parameter."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
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
        # A kill may come between two of them: each has numbers of its own.
        own = self._sampler(trial.number, param_name)
        return own.sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, *of: int | str) -> TPESampler:
        digest = hashlib.sha256("/".join(map(str, (self._seed, *of))).encode()).digest()
        with warnings.catch_warnings():
            # constant_liar and group are what Optuna advises for parallel trials and for
            # conditional spaces; the label says only that their interface may still change.
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(
                seed=int.from_bytes(digest[:4], "big"),
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=8,
            )


class Halving(BasePruner):
    """Asynchronous successive halving (arXiv 1810.05934) on reported values, without notes.

    At rounds 1, 3, 9 and so on a trial goes on where it is in the best third of those that were
    there so far; of two trials the better one. With a `window` of k, trial n is compared with those
    up to n - k only, which have ended.
    """

    def __init__(self, window: int | None = None) -> None:
        self._window = window

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        step = trial.last_step
        if step is None or not _decides(step):
            return False
        value = trial.intermediate_values[step]
        last = math.inf if self._window is None else trial.number - self._window
        values = [
            one.intermediate_values[step]
            for one in study.get_trials(deepcopy=False)
            if one.number != trial.number and one.number <= last and step in one.intermediate_values
        ]
        ranked = sorted([one for one in values if not math.isnan(one)] + [value], reverse=True)
        return math.isnan(value) or value < ranked[max(len(ranked) // _KEPT - 1, 0)]


def _decides(step: int) -> bool:
    while step > 1 and step % _KEPT == 0:
        step //= _KEPT
    return step == 1
