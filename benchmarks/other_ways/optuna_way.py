"""Trials as one runs them with Optuna alone: processes that share a study, and nothing else."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from slr_ray.search.trial import TrialTask
from slr_ray.workers.execution import Workers, run_here

_STUDY = "plain"


@dataclass(frozen=True)
class PlainOptuna:
    """Processes of one study, each taking the next trial until none is left."""

    journal: Path
    tasks: list[TrialTask]

    def seconds(self, num_processes: int) -> float:
        """How long the processes take, their start included, as it is in a search with Ray.

        Raises `RuntimeError` where one fails.
        """
        optuna.create_study(storage=self._storage(), study_name=_STUDY)
        # As joblib does: a fork would share the parent's threads and its dashboard's sockets.
        context = multiprocessing.get_context("spawn")
        started = time.perf_counter()
        processes = [context.Process(target=self._work) for _ in range(num_processes)]
        for one in processes:
            one.start()
        for one in processes:
            one.join()
        taken = time.perf_counter() - started
        codes = [one.exitcode for one in processes]
        if any(codes):
            raise RuntimeError(f"processes of the plain study ended with {codes}")
        return taken

    def _work(self) -> None:
        study = optuna.load_study(storage=self._storage(), study_name=_STUDY)
        while (trial := study.ask()).number < len(self.tasks):
            task, told = self.tasks[trial.number], list[dict[str, Any]]()
            run_here(task, told.append, task.context.num_threads, Workers())
            study.tell(trial, told[-1][task.context.metric])

    def _storage(self) -> JournalStorage:
        return JournalStorage(JournalFileBackend(str(self.journal)))
