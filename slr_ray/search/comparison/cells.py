"""Cells: fixed settings measured on one draw each, in parallel, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from slr_ray.config import Record
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.records.predictions import ClipPrediction
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.records.stages import StageStore, State, dumps
from slr_ray.search.listeners import RunListener
from slr_ray.storage import Store
from slr_ray.workers.execution import Report, Workers
from slr_ray.workers.place import Place
from slr_ray.workers.task_pool import Ended, run_pool
from slr_ray.workers.waiting import NodeWatch


@dataclass(frozen=True)
class Outcome:
    """What a measurement leaves in a cell's folder."""

    record: Record
    predictions: Mapping[str, Sequence[ClipPrediction] | Sequence[SentencePrediction]] = field(
        default_factory=dict
    )
    """On the test clips, by classifier; under an empty name where there is one only."""
    checkpoint: State | None = None
    """What `load_recogniser` reads, where it is worth keeping."""


@runtime_checkable
class Measurement(Protocol):
    """What is done with a setting. Plain data, sent to the processes that train."""

    def measure(
        self, prepared: Prepared, seed: int, stages: StageStore, place: Place
    ) -> Outcome: ...


@dataclass(frozen=True)
class Cell:
    """What a process needs to measure one setting on one draw."""

    name: str
    """Of its own among the cells of a run."""
    label: str
    """The setting, and the fold where there is one, for whoever hears of it."""
    seed: int
    config: Experiment
    """In the draw's fold."""
    measurement: Measurement
    folder: ResultFolder
    stages: StageStore
    equal_steps_to: Cell | None = None
    """The cell whose gradient steps it takes: it waits for that one's record."""

    def is_done(self) -> bool:
        return self.folder.is_done()

    def run(self, place: Place, report: Report) -> None:
        """Train, choose on validation, measure once on the test set.

        A finished cell is left as it is, so that the test set is not touched again.
        """
        # Two runs of one storage may want the same cell at once.
        claimed = StageStore(self.folder.store).claimed("cell")
        with claimed if place.leads else nullcontext():
            if place.agreed(self.is_done()):
                return
            self._measure(place)
        report({"cell": self.name})

    def _measure(self, place: Place) -> None:
        prepared = Opener().prepare(self.config)
        if self.equal_steps_to is not None:
            wanted = self.equal_steps_to.folder.num_steps()
            prepared = prepared.with_config(_with_steps(prepared, self.seed, wanted))
        outcome = self.measurement.measure(prepared, self.seed, self.stages, place)
        if not place.leads:
            return
        if outcome.checkpoint is not None:
            self.folder.write_checkpoint(dumps(outcome.checkpoint))
        self.folder.write_config(prepared.config)
        for classifier, predictions in outcome.predictions.items():
            self.folder.write_predictions(predictions, classifier)
        self.folder.write_record(outcome.record)


def run_cells(
    cells: Sequence[Cell],
    workers: Workers,
    num_threads: int,
    store: Store,
    listener: RunListener,
    *,
    at_once: int | None = None,
    may_start: Callable[[], bool] = lambda: True,
    watch: NodeWatch | None = None,
) -> dict[str, str]:
    """Measure every cell that has no record yet, in their order. Ray must be running.

    `store` is for Ray Train's own files; `watch` looks after a cluster's nodes. Once `may_start`
    says no, none begins any more.

    Returns the reasons of those that failed for good, by their names.
    """

    def on_end(cell: Cell, ended: Ended) -> None:
        listener.arm_ended(cell.label, cell.seed, ended.who, ended.error)

    def on_wait() -> None:
        listener.went_on()
        if watch is not None:
            watch.look()

    return run_pool(
        cells,
        workers,
        num_threads,
        store,
        at_once=at_once,
        needs=lambda cell: cell.equal_steps_to,
        may_start=may_start,
        on_start=lambda cell: listener.arm_started(cell.label, cell.seed),
        on_loss=lambda cell, reason: listener.arm_restarted(cell.label, cell.seed, reason),
        on_end=on_end,
        on_wait=on_wait,
    )


def _with_steps(prepared: Prepared, seed: int, wanted: int) -> Experiment:
    """Training for as many gradient steps as another cell took on this draw."""
    training = prepared.config.training
    labelled = len(prepared.pool(seed).labelled)
    an_epoch = training.steps_per_epoch or -(-labelled // training.batch_size)
    epochs = max(training.num_epochs, round(wanted / an_epoch))
    # Patience would stop it short of them; which epoch is kept is another matter.
    longer = training.model_copy(update={"num_epochs": epochs, "patience_epochs": None})
    return prepared.config.model_copy(update={"training": longer})
