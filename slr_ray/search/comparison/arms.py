"""The final comparison's arms: one row each, evaluated once a seed on the test set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slr_ray.config import merge
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.measured import measure_neighbours, train_and_measure
from slr_ray.records import runs
from slr_ray.records.stages import StageStore
from slr_ray.search.comparison.cells import Cell, Outcome
from slr_ray.search.context import RunContext
from slr_ray.search.draws import Draw
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
        """The best trial without what validation's labels decide while it trains: all epochs and
        rounds, and a temperature fitted across folds of the labelled clips.
        """
        best = self.best
        training = best.training.model_copy(update={"keep": "last", "patience_epochs": None})
        changes: dict[str, str | None] = {}
        if isinstance(best.method, RoundsConfig):
            changes["patience_rounds"] = None
        if isinstance(best.method, SslrConfig) and best.method.calibration == "temperature":
            changes["calibration"] = "folds"
        method = best.method.model_copy(update=changes)
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
    Arm(
        "fsl_equal_steps",
        "FSL, steps of the best trial",
        lambda found: found.supervised,
        "sslr_best",
    ),
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


def arms_for(config: Experiment) -> tuple[Arm, ...]:
    """Those of an experiment's task: what answers for the nearest clip has one gloss."""
    return tuple(one for one in ARMS if one.trains or config.task == "isolated")


def described_arms(arms: Sequence[Arm] = ARMS) -> list[runs.Arm]:
    """The arms as a run's record tells them to its readers."""
    return [runs.Arm(name=one.name, title=one.title) for one in arms]


@dataclass(frozen=True)
class ArmMeasurement:
    """How an arm is measured."""

    arm: str

    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        row = _BY_NAME[self.arm]
        if row.trains:
            measured = train_and_measure(prepared, seed, stages, place, last_model=row.last_model)
        else:
            measured = measure_neighbours(prepared, seed)
        record = runs.ArmRecord(arm=self.arm, **dict(measured.record))
        return Outcome(record, {"": measured.predictions}, measured.checkpoint)


def arm_cells(
    context: RunContext,
    candidates: Mapping[int | None, Candidates],
    draws: Sequence[Draw],
) -> list[Cell]:
    """Every arm on every draw; `candidates` are those of each fold, or of None."""
    cells: dict[tuple[str, Draw], Cell] = {}
    arms = arms_for(next(iter(candidates.values())).default)
    waited_for = {one.equal_steps_to for one in arms}
    # Those first that others wait for.
    for arm in sorted(arms, key=lambda one: one.name not in waited_for):
        for draw in draws:
            name = f"{arm.name}/{draw.place}"
            cells[arm.name, draw] = Cell(
                name=name,
                label=arm.name if draw.fold is None else f"{arm.name} fold {draw.fold}",
                seed=draw.seed,
                config=draw.of(arm.make(candidates[draw.fold])),
                measurement=ArmMeasurement(arm.name),
                folder=context.folder.arm(arm.name, draw.seed, draw.fold),
                stages=context.stages(f"final_{name.replace('/', '_')}"),
                equal_steps_to=cells.get((arm.equal_steps_to or "", draw)),
            )
    return list(cells.values())
