"""Our study behind Ray Tune's interfaces: it suggests, stops early and hears of every end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.tune import Callback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from slr_ray.errors import ConfigError, StorageLost, full_disk
from slr_ray.experiment.experiment import Experiment
from slr_ray.records.goals import figures
from slr_ray.records.runs import TrialRecord
from slr_ray.search.context import RunContext
from slr_ray.search.endings import Restarts, failed_record, record_of
from slr_ray.search.history.journal import Journal
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.limits import SearchEnd
from slr_ray.search.listeners import RunListener
from slr_ray.search.packed import Packed
from slr_ray.search.spaces.space import Tree
from slr_ray.search.trial import TrialTask
from slr_ray.workers.losses import UnusableNode, cause_of

Build = Callable[[Tree, str], Experiment]


class Trouble:
    """An error in what Tune calls, a full disk say: Tune would take it for a trial's failure."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the body's error until Tune may be stopped."""
        try:
            yield
        except Exception as error:
            self.error = self.error or error


class StudySearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Asks the study and tells it. The study's journal is all the state there is."""

    def __init__(
        self,
        context: RunContext,
        study: SearchStudy,
        build: Build,
        journal: Journal,
        listener: RunListener,
        num_trials: int,
        restarts: Restarts,
        end: SearchEnd,
        trouble: Trouble,
        has_room: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """`build` makes an experiment of a suggested tree; `num_trials` are still to be run.

        `has_room` says whether one more may begin beside so many.
        """
        super().__init__(metric=context.metric, mode="max")
        self._context, self._study, self._build = context, study, build
        self._listener, self._num_trials, self._journal = listener, num_trials, journal
        self._restarts, self._end, self._trouble = restarts, end, trouble
        self._has_room = has_room
        self._begun: list[int] = []
        self._live: dict[str, dict[str, Any]] = {}
        """What Tune was given and has not ended, by Tune's ids."""
        self._again: list[dict[str, Any]] = []
        """What it gave up and is to be given anew."""
        self._num_unusable = 0

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._again:
            self._live[trial_id] = self._again.pop(0)
            return self._live[trial_id]
        while len(self._begun) + self._num_unusable < self._num_trials:
            if not self._has_room(len(self._live)):
                return None
            suggestion = self._study.ask()
            if suggestion is None:
                # It must know how others end; Tune asks again.
                return None
            folder = self._context.folder.trial(suggestion.number)
            folder.write_task(suggestion.params, suggestion.source)
            self._listener.asked(suggestion.number, suggestion.params, suggestion.source)
            try:
                config = self._build(suggestion.tree, f"trial {suggestion.number}")
            except ConfigError as error:
                # The ends of the ranges were tried; values between them may still not go together.
                self._num_unusable += 1
                self._finish(failed_record(folder, suggestion.number, f"ConfigError: {error}"))
                continue
            self._begun.append(suggestion.number)
            self._journal.keep()
            task = TrialTask(
                self._context, suggestion.number, config, suggestion.params, suggestion.source
            )
            self._live[trial_id] = {"number": suggestion.number, "task": Packed(task)}
            return self._live[trial_id]
        # One that is under way may have to be given anew.
        return None if self._live else str(Searcher.FINISHED)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        given = self._live.pop(trial_id)
        number = given["number"]
        if self._trouble.error is not None:
            return
        with self._trouble.kept():
            # Told to restart without end, Tune still gives up a trial whose process is lost while
            # it takes the place of the one before (TuneController._process_trial_failure).
            if error and not (self._end.is_over or self._restarts.are_used_up(number)):
                self._again.append(given)
                self._listener.restarted(number, self._restarts.reason(number))
            else:
                self._on_end(number, error=error)

    def _on_end(self, number: int, *, error: bool) -> None:
        folder = self._context.folder.trial(number)
        record = None
        if not (error or self._restarts.are_used_up(number)):
            record = record_of(folder, pruned=self._study.was_pruned(number))
        if record is None and not self._end.is_over:
            record = failed_record(folder, number, self._restarts.told(number))
        if record is not None:
            self._finish(record)

    def _finish(self, record: TrialRecord) -> None:
        # Record first: a kill between the two is settled on resume.
        self._context.folder.trial(record.number).write_record(record)
        self._study.tell(record.number, record.status, record.value, figures(record))
        self._journal.keep()
        self._listener.ended(record)

    def without_record(self) -> list[int]:
        """Trials begun by this searcher that have not ended."""
        numbers = sorted(self._begun)
        return [one for one in numbers if not self._context.folder.trial(one).is_done()]

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the journal has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the journal has it."""

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its searcher beside every experiment state; ours is rebuilt from the journal.
        return {}


class StudyScheduler(FIFOScheduler):  # type: ignore[misc]  # Ray ships no types
    """Early stopping as the study decides it, so that its history has every decision.

    And an end to restarts: Tune counts lost processes as failures, so it is told to restart without
    end, and stopped here.
    """

    def __init__(
        self,
        metric: str,
        study: SearchStudy,
        restarts: Restarts,
        end: SearchEnd,
        trouble: Trouble,
        *,
        ends_at_last: bool = False,
    ) -> None:
        """With `ends_at_last` a trial is over with its last report: it has nothing to tidy up."""
        super().__init__()
        self._by, self._ends_at_last = metric, ends_at_last
        self._study, self._restarts, self._end, self._trouble = study, restarts, end, trouble

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        error = _error_of(trial)
        self._restarts.note(trial.config["number"], error)
        cause = cause_of(error)
        if isinstance(cause, UnusableNode):
            self._end.error = cause
        # Not the trial's fault: it stays unfinished, and the run ends.
        lost = cause if isinstance(cause, StorageLost) else full_disk(cause)
        self._trouble.error = self._trouble.error or lost

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """A trial that Tune would begin, or begin again."""
        if self._restarts.are_used_up(trial.config["number"]):
            tune_controller.stop_trial(trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        round_ = result["round"]
        # Round 0 is the same for trials that share it: nothing to tell them apart by.
        with self._trouble.kept():
            if round_ > 0 and self._study.should_prune(
                trial.config["number"], round_, result[self._by], done=result["is_last"]
            ):
                return str(TrialScheduler.STOP)
        # Told to go on, Tune asks the process once more, to hear that there is no more.
        over = self._ends_at_last and result["is_last"]
        return str(TrialScheduler.STOP if over else TrialScheduler.CONTINUE)

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _error_of(trial: Any) -> BaseException:
    """What ended the last try. Tune hands it to nobody, but writes it down on this machine."""
    try:
        error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    except Exception as problem:
        return RuntimeError(f"Ray Tune's error can't be read: {problem}")
    return error


class TuneEvents(Callback):  # type: ignore[misc]  # Ray ships no types
    """Hands on what Tune sees of trials between their beginning and their end."""

    def __init__(
        self, listener: RunListener, restarts: Restarts, end: SearchEnd, trouble: Trouble
    ) -> None:
        self._listener, self._restarts, self._end = listener, restarts, end
        self._trouble = trouble

    def on_step_begin(self, iteration: int, trials: list[Any], **_: Any) -> None:
        # The one place where an error ends Tune as it is.
        if self._trouble.error is not None:
            raise self._trouble.error

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        with self._trouble.kept():
            self._listener.started(trial.config["number"])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any
    ) -> None:
        who = f"{result['hostname']}:{result['pid']}"
        with self._trouble.kept():
            self._listener.progressed(trial.config["number"], {**result, "who": who})

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        number = trial.config["number"]
        if not self._end.is_over and not self._restarts.are_used_up(number):
            with self._trouble.kept():
                self._listener.restarted(number, self._restarts.reason(number))

    def __getstate__(self) -> dict[str, Any]:
        return {}
