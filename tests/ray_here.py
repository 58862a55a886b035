"""The command `slr_ray.tune` with Ray's part played in its own process, a trial at a time.

What starts in a second can be killed twenty times in a test. `python ray_here.py ...` takes the
options of `slr_ray.tune`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ray import cloudpickle
from ray.tune import Tuner
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from slr_ray.records.log import this_process
from slr_ray.workers.execution import run_here
from slr_ray.workers.task_pool import Ended


class _Stopped(BaseException):
    """A trial that is stopped early; no error of its own."""


class TunerHere(Tuner):
    """Tune's loop in what the search uses of it: suggest, run, tell, stop."""

    def __init__(self, trainable: Callable[[Any], None], tune_config: Any, run_config: Any) -> None:
        self._trainable = trainable
        self._searcher, self._scheduler = tune_config.search_alg, tune_config.scheduler
        self._end, self._callbacks = run_config.stop, run_config.callbacks
        self._trials: list[Any] = []

    def fit(self) -> None:
        # As Tune does: its handler goes when it was called, which tells that it was.
        before = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, before))
        for number in itertools.count():
            if signal.getsignal(signal.SIGINT) is before:
                return
            self._call("on_step_begin", iteration=number)
            if self._end.stop_all():
                return
            trial_id = f"{number:04d}"
            config = self._searcher.suggest(trial_id)
            if config == Searcher.FINISHED:
                return
            assert config is not None, "one at a time no trial waits for another"
            self._run(SimpleNamespace(config=config, trial_id=trial_id))

    def _run(self, trial: Any) -> None:
        while True:
            self._call("on_trial_start", trial=trial)
            try:
                with mock.patch("ray.tune.report", self._reporter(trial)):
                    self._trainable(trial.config)
            except _Stopped:
                pass
            except Exception as error:
                if self._failed(trial, error):
                    return
                continue
            self._searcher.on_trial_complete(trial.trial_id, result={})
            return

    def _failed(self, trial: Any, error: Exception) -> bool:
        """Whether the trial gets no further try."""
        with mock.patch("slr_ray.search.searcher._error_of", return_value=error):
            self._scheduler.on_trial_error(None, trial)
        self._call("on_trial_recover", trial=trial)
        stopped = SimpleNamespace(stop_trial=lambda one: setattr(one, "is_stopped", True))
        self._scheduler.on_trial_add(stopped, trial)
        if getattr(trial, "is_stopped", False):
            self._searcher.on_trial_complete(trial.trial_id)
            return True
        return False

    def _reporter(self, trial: Any) -> Callable[[dict[str, Any]], None]:
        def report(metrics: dict[str, Any]) -> None:
            result = {**metrics, "hostname": socket.gethostname(), "pid": os.getpid()}
            decision = self._scheduler.on_trial_result(None, trial, result)
            self._call("on_trial_result", trial=trial, result=result)
            if decision == TrialScheduler.STOP:
                raise _Stopped

        return report

    def _call(self, event: str, **facts: Any) -> None:
        for one in self._callbacks:
            getattr(one, event)(**{"iteration": 0, "trials": self._trials, **facts})


def _pool_here(
    tasks: Sequence[Any], workers: Any, num_threads: int, store: Any, **hooks: Any
) -> dict[str, str]:
    """`run_pool`, one task after another."""
    failed: dict[str, str] = {}
    # Those first that others wait for.
    for task in sorted(tasks, key=lambda one: hooks["needs"](one) is not None):
        if task.is_done():
            hooks["on_end"](task, Ended(None, None))
            continue
        hooks["on_start"](task)
        try:
            # As it travels to another process.
            run_here(cloudpickle.loads(cloudpickle.dumps(task)), lambda _: None, 1, workers)
        except Exception as error:
            failed[task.name] = f"{type(error).__name__}: {error}"
            hooks["on_end"](task, Ended(None, failed[task.name]))
        else:
            hooks["on_end"](task, Ended(this_process(), None))
    return failed


@contextlib.contextmanager
def ray_here() -> Iterator[None]:
    """Ray is not started by what runs in the body."""
    with contextlib.ExitStack() as stack:
        for name, stand_in in {
            "slr_ray.search.tuning.Tuner": TunerHere,
            "ray.tune.with_resources": lambda trainable, _: trainable,
            "slr_ray.search.comparison.cells.run_pool": _pool_here,
            "slr_ray.workers.nodes.connected": lambda *_: contextlib.nullcontext(),
        }.items():
            stack.enter_context(mock.patch(name, stand_in))
        yield


if __name__ == "__main__":
    from slr_ray.tune import main

    with ray_here():
        main()
