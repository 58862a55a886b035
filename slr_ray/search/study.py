"""The search's memory: an Optuna study in a journal, the one truth about every trial.

Ray Tune runs the trials but keeps no history that we rely on. A run that was killed at any moment
goes on from the journal: finished trials stay as they are, unfinished ones are handed out again
under their own number and parameters, and each trial is told once. (Ray's `OptunaSearch` with a
persistent study can't be restored after a kill, tells early-stopped trials as complete and leaves a
NaN running for ever; hence our own, on Ray's `Searcher` interface.)
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from slr_ray.search.spaces.space import Tree, as_optuna_params, as_tree, parameters, suggest

_SOURCE = "source"


@dataclass(frozen=True)
class Suggestion:
    """A trial to run."""

    number: int
    tree: Tree
    params: dict[str, Any]
    source: str


class SearchStudy:
    """Asks Optuna for settings and tells it how they did; safe to reopen after a kill."""

    def __init__(
        self, journal: Path, space: Tree, *, name: str, seed: int, early_stopping: bool
    ) -> None:
        """`journal` is a local file, made where it does not exist; `name` is the run's."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal.parent.mkdir(parents=True, exist_ok=True)
        self.space = space
        self._handed_out: dict[int, Trial] = {}
        self._pruned: set[int] = set()
        self.study = optuna.create_study(
            study_name=name,
            storage=JournalStorage(JournalFileBackend(str(journal))),
            sampler=_sampler(seed),
            pruner=_pruner(early_stopping),
            direction="maximize",
            load_if_exists=True,
        )
        known = len(self.study.get_trials(deepcopy=False))
        if known:
            # A reopened study must not draw again what it drew before.
            self.study.sampler = _sampler(seed + known)
        self._unfinished = [trial.number for trial in self._trials(TrialState.RUNNING)]

    def enqueue(self, plain: Tree) -> list[str]:
        """Try a plain configuration before anything else; returns the paths outside the space."""
        params, outside = as_optuna_params(self.space, plain)
        self.study.enqueue_trial(params, user_attrs={_SOURCE: "start_from"}, skip_if_exists=True)
        return outside

    def restore(self, number: int, params: Mapping[str, Any], source: str) -> None:
        """Bring back what the journal has lost of a trial; what it has is kept.

        `params` are the suggested values by dotted path, as the trial's folder has them. Trials
        before it that left no folder come back as failed: their numbers were given once.
        """
        by_name = {one.name: one.distribution for one in parameters(self.space)}
        named = as_optuna_params(self.space, as_tree(params))[0]
        for _ in range(len(self.study.get_trials(deepcopy=False)), number):
            self.study.add_trial(create_trial(state=TrialState.FAIL))
        if number == len(self.study.get_trials(deepcopy=False)):
            marked = {_SOURCE: source}
            self.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=marked))
            self._unfinished.append(number)
        if number in self._unfinished:
            frozen = self._frozen(number)
            for name in named.keys() - frozen.params.keys():
                value = by_name[name].to_internal_repr(named[name])
                self.study._storage.set_trial_param(frozen._trial_id, name, value, by_name[name])

    def ask(self) -> Suggestion:
        """The next trial: an unfinished one of an earlier process, then new ones."""
        if self._unfinished:
            frozen = self._frozen(self._unfinished.pop(0))
            trial = Trial(self.study, frozen._trial_id)
        else:
            trial = self.study.ask()
        tree, params = suggest(self.space, trial)
        self._handed_out[trial.number] = trial
        source = trial.user_attrs.get(_SOURCE, "searched")
        return Suggestion(trial.number, tree, params, source)

    def should_prune(self, number: int, round_: int, value: float) -> bool:
        """Report a round's value; whether the trial is to stop (asynchronous halving)."""
        trial = self._handed_out[number]
        if self._frozen(number).intermediate_values.get(round_) is None:
            trial.report(value, round_)
        if trial.should_prune():
            self._pruned.add(number)
            return True
        return False

    def was_pruned(self, number: int) -> bool:
        return number in self._pruned

    def tell(self, number: int, status: str, value: float | None) -> None:
        """Record how a trial ended: complete, pruned or failed; only the first time counts."""
        state = {
            "complete": TrialState.COMPLETE,
            "pruned": TrialState.PRUNED,
            "failed": TrialState.FAIL,
        }[status]
        if self._frozen(number).state.is_finished():
            return
        values = value if state == TrialState.COMPLETE else None
        self.study.tell(number, values, state=state)
        if number in self._unfinished:
            self._unfinished.remove(number)

    def unfinished(self) -> list[int]:
        """Trials that an earlier process started and nobody has taken up yet."""
        return list(self._unfinished)

    def num_finished(self) -> int:
        """Trials told, in whatever state."""
        return sum(trial.state.is_finished() for trial in self.study.get_trials(deepcopy=False))

    def _trials(self, state: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=(state,))

    def _frozen(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]


def _pruner(early_stopping: bool) -> BasePruner:
    if not early_stopping:
        return NopPruner()
    return SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)


def _sampler(seed: int) -> optuna.samplers.TPESampler:
    with warnings.catch_warnings():
        # constant_liar and group are what Optuna advises for parallel trials and for conditional
        # spaces; the label says only that their interface may still change.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=True, group=True, constant_liar=True, n_startup_trials=8
        )
