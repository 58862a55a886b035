"""How long a sweep may take: what its cells have to train, times what that took here just now."""

from __future__ import annotations

import json

from slr_ray.durations import duration
from slr_ray.experiment.consistency_config import StepByStep
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.prepared import Prepared
from slr_ray.experiment.supervised import SupervisedConfig
from slr_ray.methods.other_glosses import num_other_steps
from slr_ray.methods.pretraining import pretraining_key
from slr_ray.search.comparison.cells import Cell
from slr_ray.search.estimate import (
    Times,
    at_once,
    measured_times,
    most_steps,
    pool_sizes,
    pretraining_steps,
    seconds,
    step_seconds,
)
from slr_ray.sweeps.measurements.encoder import EncoderMeasurement
from slr_ray.sweeps.measurements.sliding_window import SlidingWindowMeasurement
from slr_ray.sweeps.measurements.trained import NeighboursMeasurement
from slr_ray.sweeps.plan import Sweep
from slr_ray.training.pretraining.config import PretrainingConfig


def text(sweep: Sweep) -> str:
    """The estimate in a line, after some real steps of each kind of training."""
    seconds_s = _seconds_of_cells(sweep) / at_once(sweep.options)
    return (
        f"estimate: {len(sweep.plan.to_do)} cells, {at_once(sweep.options)} at a time: "
        f"{duration(seconds_s)} of training at most here. Early stopping shortens it, each cell's "
        "start and measuring come on top; other machines differ."
    )


def _seconds_of_cells(sweep: Sweep) -> float:
    """Of all that is left to train; what cells share counts once."""
    total, known = 0.0, set[str]()
    times: dict[str, Times] = {}
    for key, cell in sweep.plan.cells.items():
        if cell.is_done() or isinstance(cell.measurement, NeighboursMeasurement):
            continue
        prepared = sweep.plan.prepared[key]
        if isinstance(cell.measurement, SlidingWindowMeasurement):
            total += _windows_s(cell.measurement, prepared, cell.seed)
            continue
        kind = _kind(prepared.config)
        if kind not in times:
            times[kind] = measured_times(prepared, cell.seed, [prepared])
        before, before_s = _before(cell, prepared, times[kind])
        first_s, later_s = _trained_s(cell, prepared, times[kind])
        first = json.dumps([prepared.stage_facts(), cell.seed, first_s], sort_keys=True)
        total += later_s
        total += sum(
            one for name, one in ((before, before_s), (first, first_s)) if name not in known
        )
        known |= {before, first}
    return total


def _windows_s(measurement: SlidingWindowMeasurement, prepared: Prepared, seed: int) -> float:
    """Of the recogniser of isolated signs; reading sentences through windows is a small part."""
    problem, recogniser = measurement.learning(prepared, seed)
    steps, _ = most_steps(recogniser, len(problem.labelled), 0)
    return steps * step_seconds(problem, recogniser.training)


def _before(cell: Cell, prepared: Prepared, times: Times) -> tuple[str, float]:
    """What comes before round 0, by a name that says which cells share it, and its seconds."""
    if isinstance(prepared.config.initialisation, PretrainingConfig):
        steps_s = pretraining_steps(prepared) * times.pretraining_step_s
        return pretraining_key(prepared, cell.seed), steps_s
    facts = [prepared.initialisation_facts(), prepared.split.fingerprint, cell.seed]
    return json.dumps(facts, sort_keys=True), num_other_steps(prepared) * times.step_s


def _trained_s(cell: Cell, prepared: Prepared, times: Times) -> tuple[float, float]:
    """Of round 0, which cells may share, and of later rounds."""
    config, sizes = prepared.config, pool_sizes(prepared, cell.seed)
    if isinstance(cell.measurement, EncoderMeasurement):
        fine_tuned = config.model_copy(update={"method": SupervisedConfig()})
        steps = most_steps(fine_tuned, sizes[0], 0)[0]
        return 0.0, steps * times.step_s if cell.measurement.semi_fraction else 0.0
    if cell.equal_steps_to is not None:
        by_step = isinstance(config.method, StepByStep) and sizes[1]
        step_s = times.stream_step_s if by_step else times.step_s
        return 0.0, sum(most_steps(cell.equal_steps_to.config, *sizes)) * step_s
    return seconds(config, times, *sizes)


def _kind(config: Experiment) -> str:
    """What decides about the time of a gradient step."""
    training = config.training.model_dump(mode="json", exclude={"num_epochs", "steps_per_epoch"})
    sections = [config.model, config.normalisation, config.augmentation, config.initialisation]
    dumped = [one.model_dump(mode="json") for one in sections]
    return json.dumps([config.method.kind, training, dumped], sort_keys=True)
