"""How long a run may take: what it has to train, times what that took here just now."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from slr_ray.durations import duration
from slr_ray.experiment.consistency_config import StepByStep
from slr_ray.experiment.experiment import Experiment
from slr_ray.experiment.linear_evaluation import LinearEvaluationConfig
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.other_glosses import num_other_steps
from slr_ray.methods.pretraining import pretraining_key, pretraining_task
from slr_ray.search.draws import Draw
from slr_ray.search.search_run import SearchRun
from slr_ray.training.config import TrainingConfig
from slr_ray.training.linear import fit_classifier
from slr_ray.training.loop import train
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.training.pretraining.loop import pretrain
from slr_ray.training.pretraining.plan import plan
from slr_ray.training.problem import Problem, labelled_set
from slr_ray.training.round import Round, Stream
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

_PROBE_STEPS = 4


@dataclass(frozen=True)
class Times:
    """Seconds on this machine."""

    step_s: float
    """A gradient step on labelled clips."""
    pretraining_step_s: float = 0.0
    fit_s: float = 0.0
    """Of the classifier alone, for `method.kind: linear`."""
    stream_step_s: float = 0.0
    """A gradient step on labelled and unlabelled clips, for `method.kind: consistency`."""


@dataclass(frozen=True)
class Pretrainings:
    """How many pre-trainings a run takes at most: those that trials share count once."""

    in_search: int
    in_final: int
    num_steps: int
    """Of the longest."""


@dataclass(frozen=True)
class Estimate:
    """Upper bounds, in seconds of wall time."""

    trials_s: float
    final_s: float


def text(run: SearchRun) -> str:
    """The estimate in a few lines, after some real steps of the default setting."""
    corners = [run.opener.prepare(one) for one in run.space.corners()]
    times = measured_times(run.default, run.space.search.search_seeds[0], corners)
    counted = pretrainings(run)
    found = estimate(run, times, counted)
    steps = f"one gradient step {times.step_s:.3f} s"
    if times.stream_step_s:
        steps += f", one with unlabelled clips {times.stream_step_s:.3f} s"
    if counted.num_steps:
        steps += f", one of pre-training {times.pretraining_step_s:.3f} s"
    told = f"estimate: {steps} here; "
    if counted.num_steps:
        told += (
            f"{counted.in_search} pre-trainings in the search and {counted.in_final} after it, "
            f"of {counted.num_steps} steps each; "
        )
    if run.num_trials_left:
        told += (
            f"{run.num_trials_left} trials {at_once(run.options)} at a time "
            f"{duration(found.trials_s)} at most, "
        )
    other = "Early stopping shortens the search; other" if run.num_trials_left else "Other"
    return told + f"final comparison {duration(found.final_s)}. {other} machines differ."


def measured_times(prepared: Prepared, seed: int, corners: Sequence[Prepared]) -> Times:
    """Times of a few steps of each kind that `corners`, experiments on the same clips, take."""
    base, place = prepared.config, this_place()
    own = prepared.problem(seed)

    def pre_training(num_steps: int) -> None:
        few = {"num_steps": num_steps, "schedule": "constant", "collapse_threshold": 0.0}
        task = pretraining_task(pre_trained[0], seed)
        pretrain(replace(task, config=task.config.model_copy(update=few)), place)

    pre_trained = [
        one for one in corners if isinstance(one.config.initialisation, PretrainingConfig)
    ]
    methods = [one.config.method for one in corners]
    streams = [one for one in methods if isinstance(one, StepByStep)]
    pretraining_step_s, fit_s, stream_step_s = 0.0, 0.0, 0.0
    step_s = step_seconds(own, base.training)
    if streams and len(own.unlabelled):
        longest = max(streams, key=lambda one: one.unlabelled_ratio)
        stream_step_s = step_seconds(own, base.training, longest)
    if pre_trained:
        pretraining_step_s = _seconds_a_step(pre_training)
    if isinstance(base.method, LinearEvaluationConfig):
        fit_s = fit_classifier(own.new_model(), own, base.training, place).training_s
    return Times(step_s, pretraining_step_s, fit_s, stream_step_s)


def step_seconds(problem: Problem, training: TrainingConfig, stream: Stream | None = None) -> float:
    """A gradient step on labelled clips, with `stream` on unlabelled ones, too."""
    training_set = labelled_set(problem)

    def some_steps(num_steps: int) -> None:
        once = {"num_epochs": 1, "steps_per_epoch": num_steps, "patience_epochs": None}
        config = training.model_copy(update=once)
        model = problem.new_recogniser()
        train(model, problem, config, Round(0, 0, training_set, stream=stream), this_place())

    return _seconds_a_step(some_steps)


def pretrainings(run: SearchRun) -> Pretrainings:
    """Counted by their stages' keys; where a setting of theirs is searched, one a trial.

    Of a resumed run those of what is left, at most: stages that are there are not looked for.
    """
    final_draws = {draw for _, draw in run.measurements_left}
    default = _pre_trained(run, [run.space.default])
    searched = _pre_trained(run, run.space.searched)
    in_search = in_final = 0
    alone = {pretraining_key(one, 0) for one in searched}
    if searched:
        done = _keys(run, searched[0], run.search_draws)
        own_each = len(alone) > 1 or not run.options.share_stages
        in_search = len(done) * _starts(run, shared=not own_each)
        in_final = len(_keys(run, searched[0], final_draws) - done)
    if default and {pretraining_key(default[0], 0)} != alone:
        in_final += len(_keys(run, default[0], final_draws))
    steps = [pretraining_steps(one) for one in (*default, *searched)]
    return Pretrainings(in_search, in_final, max(steps, default=0))


def estimate(run: SearchRun, times: Times, counted: Pretrainings) -> Estimate:
    """At most: no trial is stopped early, and each trains its round 0 unless all have the same.

    Of a resumed run for what is left.
    """
    base, search = run.space.default, run.space.search
    sizes = pool_sizes(run.default, search.search_seeds[0])
    round_0_s, later_s = seconds(base, times, *sizes)
    before = max(num_other_steps(run.opener.prepare(one)) for one in run.space.corners())
    round_0_s += before * times.step_s
    longest_s = max(seconds(one, times, *sizes)[1] for one in run.space.corners())
    supervised_s = most_steps(base, *sizes)[0] * times.step_s
    searched = (run.opener.prepare(one) for one in run.space.searched)
    starts = {json.dumps(one.stage_facts(), sort_keys=True) for one in searched}
    shared = len(starts) == 1 and run.options.share_stages
    pretraining_s = counted.num_steps * times.pretraining_step_s
    a_draw_s = _starts(run, shared=shared) * round_0_s + run.num_trials_left * longest_s
    trials_s = len(run.search_draws) * a_draw_s
    # The first part of FSL with as many steps is FSL itself; the neighbours are not trained.
    others_s = {"fsl": supervised_s, "fsl_equal_steps": later_s, "nearest_neighbour": 0.0}
    final_s = sum(others_s.get(arm, round_0_s + later_s) for arm, _ in run.measurements_left)
    parallel = at_once(run.options)
    return Estimate(
        trials_s=(trials_s + counted.in_search * pretraining_s) / parallel,
        final_s=(final_s + counted.in_final * pretraining_s) / parallel,
    )


def _starts(run: SearchRun, *, shared: bool) -> int:
    """How often what trials begin with is trained on a draw."""
    return min(run.num_trials_left, 1) if shared else run.num_trials_left


def pool_sizes(prepared: Prepared, seed: int) -> tuple[int, int]:
    """Labelled and unlabelled clips that a seed trains on, those of an open pool included."""
    pool = prepared.pool(seed)
    return len(pool.labelled), len(pool.unlabelled) + len(prepared.open_pool)


def seconds(
    config: Experiment, times: Times, num_labelled: int, num_unlabelled: int
) -> tuple[float, float]:
    """Of round 0, which trials may share, and of what a trial trains for itself."""
    in_round_0, in_later = most_steps(config, num_labelled, num_unlabelled)
    if in_later:
        # As long as round 0, and shared like it.
        in_round_0 *= 1 + config.rounds.held_out_folds
    if isinstance(config.method, LinearEvaluationConfig):
        return times.fit_s, 0.0
    if isinstance(config.method, StepByStep) and num_unlabelled:
        return 0.0, in_round_0 * times.stream_step_s
    return in_round_0 * times.step_s, in_later * times.step_s


def most_steps(config: Experiment, num_labelled: int, num_unlabelled: int) -> tuple[int, int]:
    """Gradient steps of round 0 and of all later rounds, if these use the whole unlabelled pool."""
    training, rounds = config.training, config.rounds
    in_round_0, in_later = (
        training.steps_per_epoch or -(-num_clips // training.batch_size)
        for num_clips in (num_labelled, num_labelled + num_unlabelled)
    )
    num_rounds = rounds.num_rounds if num_unlabelled else 0
    num_epochs = rounds.num_epochs or training.num_epochs
    return training.num_epochs * in_round_0, num_rounds * num_epochs * in_later


def _pre_trained(run: SearchRun, configs: Iterable[Experiment]) -> list[Prepared]:
    """Those of the experiments that begin with pre-training, opened."""
    return [
        run.opener.prepare(one)
        for one in configs
        if isinstance(one.initialisation, PretrainingConfig)
    ]


def _keys(run: SearchRun, prepared: Prepared, draws: Iterable[Draw]) -> set[str]:
    return {
        pretraining_key(run.opener.prepare(draw.of(prepared.config)), draw.seed) for draw in draws
    }


def pretraining_steps(prepared: Prepared) -> int:
    """Gradient steps of an experiment's pre-training."""
    task = pretraining_task(prepared, 0)
    return plan(task.config, len(task.clips), 1).num_steps


def _seconds_a_step(steps: Callable[[int], None]) -> float:
    started = time.monotonic()
    steps(_PROBE_STEPS)
    whole = time.monotonic() - started
    # The second time the caches are warm, and what surrounds the steps is told from them.
    started = time.monotonic()
    steps(3 * _PROBE_STEPS)
    more = time.monotonic() - started - whole
    return max(more / (2 * _PROBE_STEPS), 0.2 * whole / _PROBE_STEPS)


def at_once(options: RunOptions) -> int:
    """How many trials or cells this machine has processors for."""
    wanted = options.trial_cpus * options.trial_workers
    return options.max_concurrent or max(1, int((os.cpu_count() or 1) // wanted))
