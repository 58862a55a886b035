"""Who hears what happens in a run: the live view, TensorBoard, the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from slr_ray.records.log import Log
from slr_ray.records.run_folder import RunFolder, trial_name
from slr_ray.records.runs import TrialRecord
from slr_ray.records.tries import Tries
from slr_ray.reporting.board import Board
from slr_ray.reporting.hparams import write_trial
from slr_ray.workers.execution import Workers

_CURVES_EVERY_S = 15.0


class RunListener:
    """Hears of a run's trials and arms, all in the driver; override what matters."""

    def found(self, record: TrialRecord) -> None:
        """A trial that an earlier process finished."""

    def asked(self, number: int, params: dict[str, Any], source: str) -> None:
        """The search has decided on a trial; it waits for a worker."""

    def started(self, number: int) -> None:
        """A worker begins it."""

    def progressed(self, number: int, result: dict[str, Any]) -> None:
        """A round ended; `result` is what `TrialTask` reports, and `who` reported it."""

    def restarted(self, number: int, reason: str) -> None:
        """A try was lost and the trial begins again, from its stages."""

    def ended(self, record: TrialRecord) -> None:
        """A trial has its record."""

    def search_ended(self, reason: str) -> None:
        """A budget was spent before all trials had ended."""

    def cut_off(self, number: int, reason: str) -> None:
        """That happened while the trial ran."""

    def final_begins(self) -> None:
        """The search is over; the final comparison starts."""

    def arm_started(self, arm: str, seed: int) -> None:
        """A worker begins an arm."""

    def arm_restarted(self, arm: str, seed: int, reason: str) -> None:
        """A try was lost and the arm begins again, from its stages."""

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        """An arm has its record, or failed for good; `who` is None where it was there already."""

    def nodes_changed(self, event: str, line: str) -> None:
        """A node was lost, or the run waits for nodes; `event` as the log names it."""

    def went_on(self) -> None:
        """A second or so has passed."""


class Listeners(RunListener):
    """Several listeners as one, in order."""

    def __init__(self, listeners: Sequence[RunListener]) -> None:
        self._all = listeners

    def found(self, record: TrialRecord) -> None:
        for one in self._all:
            one.found(record)

    def asked(self, number: int, params: dict[str, Any], source: str) -> None:
        for one in self._all:
            one.asked(number, params, source)

    def started(self, number: int) -> None:
        for one in self._all:
            one.started(number)

    def progressed(self, number: int, result: dict[str, Any]) -> None:
        for one in self._all:
            one.progressed(number, result)

    def restarted(self, number: int, reason: str) -> None:
        for one in self._all:
            one.restarted(number, reason)

    def ended(self, record: TrialRecord) -> None:
        for one in self._all:
            one.ended(record)

    def search_ended(self, reason: str) -> None:
        for one in self._all:
            one.search_ended(reason)

    def cut_off(self, number: int, reason: str) -> None:
        for one in self._all:
            one.cut_off(number, reason)

    def final_begins(self) -> None:
        for one in self._all:
            one.final_begins()

    def arm_started(self, arm: str, seed: int) -> None:
        for one in self._all:
            one.arm_started(arm, seed)

    def arm_restarted(self, arm: str, seed: int, reason: str) -> None:
        for one in self._all:
            one.arm_restarted(arm, seed, reason)

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        for one in self._all:
            one.arm_ended(arm, seed, who, error)

    def nodes_changed(self, event: str, line: str) -> None:
        for one in self._all:
            one.nodes_changed(event, line)

    def went_on(self) -> None:
        for one in self._all:
            one.went_on()


class BoardListener(RunListener):
    """Writes each trial's TensorBoard files: curves while it runs, all of it when it ends."""

    def __init__(self, folder: RunFolder, goals: Sequence[str]) -> None:
        """`goals` are the figures of HParams, the metric first."""
        self._folder, self._goals = folder, goals
        self._boards: dict[int, Board] = {}
        self._looked: dict[int, float] = {}

    def started(self, number: int) -> None:
        self._looked[number] = time.monotonic()

    def progressed(self, number: int, result: dict[str, Any]) -> None:
        # Of a short trial the end is soon enough, and spares a request to the storage.
        now = time.monotonic()
        if now - self._looked.get(number, now) < _CURVES_EVERY_S:
            return
        progress = self._folder.trial(number).read_progress()
        if progress is not None:
            self._board(number).write_curves(progress.seeds)
            self._looked[number] = now

    def ended(self, record: TrialRecord) -> None:
        board = self._board(record.number)
        board.write_curves(record.seeds)
        write_trial(board, record, self._goals)
        board.close()
        del self._boards[record.number]

    def _board(self, number: int) -> Board:
        if number not in self._boards:
            name = trial_name(number)
            self._boards[number] = Board(self._folder.store, name, afresh=True)
        return self._boards[number]


class LogListener(RunListener):
    """Writes what happens into the run's log, and tells `tries` of it."""

    def __init__(self, log: Log, metric: str, tries: Tries, workers: Workers) -> None:
        self._log, self._metric, self._tries = log, metric, tries
        # Of all workers of a trial or an arm together.
        self._reserved = {
            "cpus": workers.num_workers * workers.cpus,
            "gpus": workers.num_workers * workers.gpus,
        }
        self._who: dict[int, str] = {}

    def _write(self, event: str, **facts: Any) -> None:
        self._tries.hear(self._log.write(event, **facts))

    def started(self, number: int) -> None:
        self._write("trial_started", trial=number, **self._reserved)

    def progressed(self, number: int, result: dict[str, Any]) -> None:
        self._who[number] = result["who"]
        self._write(
            "round_ended",
            who=result["who"],
            trial=number,
            round=result["round"],
            value=result[self._metric],
            reused=result["reused"],
        )

    def restarted(self, number: int, reason: str) -> None:
        who = self._who.get(number)
        self._write("trial_restarted", who=who, trial=number, reason=reason)

    def ended(self, record: TrialRecord) -> None:
        self._write(
            f"trial_{record.status}",
            who=self._who.get(record.number),
            trial=record.number,
            value=record.value,
            reason=record.error,
        )

    def search_ended(self, reason: str) -> None:
        self._write("search_ended", reason=reason)

    def cut_off(self, number: int, reason: str) -> None:
        self._write("trial_cut_off", who=self._who.get(number), trial=number)

    def arm_started(self, arm: str, seed: int) -> None:
        self._write("arm_started", arm=arm, seed=seed, **self._reserved)

    def arm_restarted(self, arm: str, seed: int, reason: str) -> None:
        self._write("arm_restarted", arm=arm, seed=seed, reason=reason)

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        if who is not None or error is not None:
            event = "arm_ended" if error is None else "arm_failed"
            self._write(event, who=who, arm=arm, seed=seed, reason=error)

    def nodes_changed(self, event: str, line: str) -> None:
        self._write(event, reason=line)

    def went_on(self) -> None:
        self._log.go_on()
