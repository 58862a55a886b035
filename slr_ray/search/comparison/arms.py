"""The final comparison's arms: one row each, evaluated once a seed on the test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slr_ray.config import merge
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.measured import measure_neighbours, train_and_measure
from slr_ray.records import runs
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.stages import dumps
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
from slr_ray.workers.execution import Report
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class Candidates:
    """What arms are made of."""

    best: Experiment
    """Of the trial that validated best; in a fold, of the one that did so there."""
    default: Experiment
    """The space's default: what a user without a search would take."""

    @property
    def supervised(self) -> Experiment:
        """The best trial's model and training without what the unlabelled clips give.

        Neither pseudo-labels nor pre-training: the comparison is about these.
        """
        without = {"method": {"kind": "supervised"}, "initialisation": {"kind": "fresh"}}
        return build_experiment(merge(self.best.model_dump(mode="json"), without), "supervised")

    @property
    def fixed_schedule(self) -> Experiment:
        """The best trial without what validation decides while it trains: all epochs and rounds."""
        best = self.best
        training = best.training.model_copy(update={"keep": "last", "patience_epochs": None})
        unstopped = {"patience_rounds": None} if isinstance(best.method, SslrConfig) else {}
        method = best.method.model_copy(update=unstopped)
        return best.model_copy(update={"training": training, "method": method})


@dataclass(frozen=True)
class Arm:
    """One row of the comparison."""

    name: str
    title: str
    """In tables and figures."""
    make: Callable[[Candidates], Experiment]
    equal_steps_to: str | None = None
    """The arm whose gradient steps on the same seed it takes: it waits for that one's record."""
    trains: bool = True
    """Otherwise the nearest labelled clip answers."""
    last_model: bool = False
    """Measure the last round's model, not that of the round that validated best."""


ARMS: tuple[Arm, ...] = (
    Arm("fsl", "Fully supervised (FSL)", lambda found: found.supervised),
    Arm("fsl_equal_steps", "FSL, equal steps", lambda found: found.supervised, "sslr_best"),
    Arm("sslr_default", "Space's default", lambda found: found.default),
    Arm("sslr_best", "Best trial", lambda found: found.best),
    Arm(
        "sslr_last",
        "Best trial, last model (no validation labels but those of the search)",
        lambda found: found.fixed_schedule,
        last_model=True,
    ),
    Arm("nearest_neighbour", "Nearest neighbour", lambda found: found.supervised, trains=False),
)
"""In the order of every table and figure."""
BEST = "sslr_best"
_BY_NAME = {one.name: one for one in ARMS}


def described_arms() -> list[runs.Arm]:
    """The arms as a run's record tells them to its readers."""
    return [runs.Arm(name=one.name, title=one.title) for one in ARMS]


@dataclass(frozen=True)
class ArmTask:
    """What a process needs to run one arm on one draw."""

    context: RunContext
    arm: str
    draw: Draw
    config: Experiment
    """In the draw's fold; for an arm of equal steps with the epochs of the one that it is made
    from."""

    @property
    def seed(self) -> int:
        return self.draw.seed

    @property
    def name(self) -> str:
        return f"{self.arm}/{self.draw.place}"

    @property
    def label(self) -> str:
        """The arm, and the fold where there is one, for whoever hears of it."""
        return self.arm if self.draw.fold is None else f"{self.arm} fold {self.draw.fold}"

    @property
    def folder(self) -> ResultFolder:
        return self.context.folder.arm(self.arm, self.seed, self.draw.fold)

    def is_done(self) -> bool:
        return self.folder.is_done()

    def run(self, place: Place, report: Report) -> None:
        """Train, choose the round on validation, evaluate that model once on the test set.

        A finished arm is left as it is, so that the test set is not touched again.
        """
        if self.is_done():
            return
        row, prepared = _BY_NAME[self.arm], Opener().prepare(self.config)
        if row.equal_steps_to is not None:
            folder = self.context.folder.arm(row.equal_steps_to, self.seed, self.draw.fold)
            wanted = folder.arm().num_steps
            prepared = prepared.with_config(_with_steps(prepared, self.seed, wanted))
        if row.trains:
            stages = self.context.stages(f"final_{self.name.replace('/', '_')}")
            measured = train_and_measure(
                prepared, self.seed, stages, place, last_model=row.last_model
            )
        else:
            measured = measure_neighbours(prepared, self.seed)
        if place.leads:
            if measured.checkpoint is not None:
                self.folder.write_checkpoint(dumps(measured.checkpoint))
            self.folder.write_config(prepared.config)
            self.folder.write_predictions(measured.predictions)
            record = runs.ArmRecord(arm=self.arm, **dict(measured.record))
            self.folder.write_record(record)
        report({"arm": self.arm, "seed": self.seed})


def _with_steps(prepared: Prepared, seed: int, wanted: int) -> Experiment:
    """Supervised training for as many gradient steps as another arm took on this seed."""
    training = prepared.config.training
    labelled = len(prepared.pool(seed).labelled)
    an_epoch = training.steps_per_epoch or -(-labelled // training.batch_size)
    epochs = max(training.num_epochs, round(wanted / an_epoch))
    longer = training.model_copy(update={"num_epochs": epochs})
    return prepared.config.model_copy(update={"training": longer})
