"""The search's memory: an Optuna study in a journal, the one truth about every trial.

Ray Tune runs the trials but keeps no history that we rely on. A run that was killed at any moment
goes on from the journal: finished trials stay as they are, unfinished ones are handed out again
under their own number and parameters, and each trial is told once. What is asked next hangs on the
history alone, so that a search that was killed goes on as it would have gone. (Ray's `OptunaSearch`
with a persistent study can't be restored after a kill, tells early-stopped trials as complete and
leaves a NaN running for ever; hence our own, on Ray's `Searcher` interface.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from slr_ray.config import as_tree
from slr_ray.records.goals import Goals, smaller_is_better
from slr_ray.search.history.entries import Entries
from slr_ray.search.samplers.sampler import GIVEN, SOURCE
from slr_ray.search.spaces.search_config import SearchConfig
from slr_ray.search.spaces.space import Tree, as_optuna_params, parameters, suggest

_WAITING = TrialState.WAITING
_NONE: Mapping[str, float] = {}


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
        self,
        journal: Path,
        space: Tree,
        search: SearchConfig,
        *,
        name: str,
        num_rounds: int = 1,
        window: int | None = None,
    ) -> None:
        """`journal` is a local file, made where it does not exist; `name` is the run's, and
        `num_rounds` the most that a trial has after round 0.

        With a `window` of k, trial n is asked when those up to n - k are told, and no other: their
        ends are told in order, however they come. Without it each is told when it ends.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal.parent.mkdir(parents=True, exist_ok=True)
        self.space = space
        self._window = window
        # The first of the objectives is the value that trials report.
        self._goals = Goals(search.objectives[1:], search.limits)
        self._ended: dict[int, tuple[TrialState, list[float] | None]] = {}
        """What is to be told when it is its turn."""
        self._handed_out: dict[int, Trial] = {}
        self._pruned: set[int] = set()
        self.study = optuna.create_study(
            study_name=name,
            storage=JournalStorage(Entries(journal)),
            sampler=search.sampler.build(space, search.seed),
            pruner=search.stopping.build(num_rounds, window),
            directions=[StudyDirection.MAXIMIZE, *map(_direction, self._goals.objectives)],
            load_if_exists=True,
        )
        self._unfinished = [trial.number for trial in self._trials(TrialState.RUNNING)]

    def enqueue(self, plain: Tree) -> list[str]:
        """Try a plain configuration before anything else; returns the paths outside the space."""
        params, outside = as_optuna_params(self.space, plain)
        self.study.enqueue_trial(params, user_attrs={SOURCE: GIVEN}, skip_if_exists=True)
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
            marked = {SOURCE: source}
            self.study.add_trial(create_trial(state=TrialState.RUNNING, user_attrs=marked))
            self._unfinished.append(number)
        if number in self._unfinished:
            frozen = self._frozen(number)
            for name in named.keys() - frozen.params.keys():
                value = by_name[name].to_internal_repr(named[name])
                self.study._storage.set_trial_param(frozen._trial_id, name, value, by_name[name])

    def ask(self) -> Suggestion | None:
        """The next trial: an unfinished one of an earlier process, then new ones.

        None where it must wait for the end of another one.
        """
        if self._unfinished:
            frozen = self._frozen(self._unfinished.pop(0))
            trial = Trial(self.study, frozen._trial_id)
        elif self._may_ask():
            trial = self.study.ask()
        else:
            return None
        tree, params = suggest(self.space, trial)
        self._handed_out[trial.number] = trial
        source = trial.user_attrs.get(SOURCE, "searched")
        return Suggestion(trial.number, tree, params, source)

    def should_prune(self, number: int, round_: int, value: float, *, done: bool = False) -> bool:
        """Report a round's value; whether the trial is to stop, as the scheduler decides.

        One that is `done` has nothing left to stop.
        """
        if self._goals.objectives:
            # Optuna keeps no values of rounds beside several objectives.
            return False
        trial = self._handed_out[number]
        if self._frozen(number).intermediate_values.get(round_) is None:
            trial.report(value, round_)
        if not done and trial.should_prune():
            self._pruned.add(number)
            return True
        return False

    def was_pruned(self, number: int) -> bool:
        return number in self._pruned

    def tell(
        self, number: int, status: str, value: float | None, figures: Mapping[str, float] = _NONE
    ) -> None:
        """Record how a trial ended: complete, pruned or failed; only the first time counts.

        `figures` has the further objectives and what is limited.
        """
        state = {
            "complete": TrialState.COMPLETE,
            "pruned": TrialState.PRUNED,
            "failed": TrialState.FAIL,
        }[status]
        frozen = self._frozen(number)
        if frozen.state.is_finished():
            return
        if figures:
            trial = Trial(self.study, frozen._trial_id)
            for name, excess in self._goals.excess(figures).items():
                if name not in frozen.constraints:
                    trial.set_constraint(name, excess)
        values = None
        if state == TrialState.COMPLETE and value is not None:
            values = [value, *(figures[name] for name in self._goals.objectives)]
        self._ended.setdefault(number, (state, values))
        if number in self._unfinished:
            self._unfinished.remove(number)
        if self._window is None:
            self.tell_rest()

    def tell_rest(self) -> None:
        """Tell what has ended, in order: no other trial is asked, or it need not wait."""
        for number in sorted(self._ended):
            self._tell_now(number)

    def _tell_now(self, number: int) -> None:
        state, values = self._ended.pop(number)
        self.study.tell(number, values, state=state)

    def _may_ask(self) -> bool:
        """Whether it is a new trial's turn; tells those trials that it is to know of."""
        if self._window is None:
            return True
        asked = [one for one in self.study.get_trials(deepcopy=False) if one.state != _WAITING]
        told = next((one.number for one in asked if not one.state.is_finished()), len(asked))
        while len(asked) - told >= self._window:
            if told not in self._ended:
                return False
            self._tell_now(told)
            told += 1
        return True

    def unfinished(self) -> list[int]:
        """Trials that an earlier process started and nobody has taken up yet."""
        return list(self._unfinished)

    def num_finished(self) -> int:
        """Trials that ended, in whatever state."""
        told = sum(trial.state.is_finished() for trial in self.study.get_trials(deepcopy=False))
        return told + len(self._ended)

    def _trials(self, state: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=(state,))

    def _frozen(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]


def _direction(objective: str) -> StudyDirection:
    return StudyDirection.MINIMIZE if smaller_is_better(objective) else StudyDirection.MAXIMIZE
