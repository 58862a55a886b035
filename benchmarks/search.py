"""Wall time of a search: trials in reused processes with shared stages, and two plainer ways.

    python -m benchmarks.search [--num-trials 16] [--against optuna] [--preset modern]

Ours is `slr_ray.search.tuning.search`, as a run calls it. The other side runs trials of the same
search, as many at once, with stages of their own: on the same Ray, each through its own
`TorchTrainer` with one worker; or with Optuna alone, in processes that share a study
(`other_ways`), whose start is counted as it is once in a search. It gets a part of our trials,
evenly spread, and its time is scaled to all of them. Early stopping is off, so that both sides
finish the same rounds; only the search phase is timed. Both run tiny trainings, of a small model
unless told otherwise: the benchmark is about what surrounds them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import tune
from rich.console import Console

from benchmarks.other_ways.optuna_way import PlainOptuna
from slr_ray.experiment.experiment import build_experiment
from slr_ray.records.run_folder import RunFolder, trial_name
from slr_ray.records.runs import TrialRecord
from slr_ray.records.tries import Tries
from slr_ray.search.context import RunContext
from slr_ray.search.history.journal import Journal
from slr_ray.search.history.study import SearchStudy
from slr_ray.search.limits import TuneLimits
from slr_ray.search.live import LiveView
from slr_ray.search.search_run import SearchRun, begin, check_data
from slr_ray.search.spaces.space_file import load_space
from slr_ray.search.trial import TrialTask
from slr_ray.search.tuning import search
from slr_ray.workers.execution import Workers, run_on_workers
from slr_ray.workers.nodes import connected
from slr_ray.workers.run_options import RunOptions

_WAYS = {"trainer": "one TorchTrainer a trial", "optuna": "Optuna alone"}


def small_run(location: Path, given: argparse.Namespace) -> SearchRun:
    """The shipped space with trainings of a second or so."""
    overrides = {
        "preset": given.preset,
        "training.num_epochs": given.num_epochs,
        "training.steps_per_epoch": given.steps_per_epoch,
        "search.num_trials": given.num_trials,
        "search.scheduler.kind": "none",
    }
    options = RunOptions(max_concurrent=given.num_slots)
    space = load_space("sslr_thresholds", overrides)
    return SearchRun(RunFolder(str(location)), space, options, [])


def ours(run: SearchRun) -> float:
    """Seconds of the search phase."""
    settings, options = run.space.search, run.options
    begin(run, check_data(run))
    journal = Journal(run.folder)
    study = SearchStudy(
        journal.path,
        run.space.tree,
        settings,
        name=run.folder.name,
    )
    for given in run.space.start_from:
        study.enqueue(given.model_dump(mode="json"))
    context = run.context
    view = LiveView(Console(quiet=True), context.metric, settings.num_trials, 0)
    limits = TuneLimits.of(options, settings.num_trials)
    started = time.perf_counter()
    search(context, study, journal, run.opener.build, limits, options.workers(), view, 0, Tries())
    return time.perf_counter() - started


def one_trainer_a_trial(context: RunContext, tasks: list[TrialTask], num_slots: int) -> float:
    """Seconds that Ray Tune takes when each trial starts a Ray Train trainer."""

    def run_trial(config: dict[str, Any]) -> None:
        task: TrialTask = tasks[config["index"]]
        store, name = context.folder.ray.join("train"), trial_name(task.number)
        run_on_workers(task, context.num_threads, Workers(), store, name, in_trial=True)

    tuner = tune.Tuner(
        # The trainer's worker holds the processor; what drives it only waits.
        tune.with_resources(run_trial, {"CPU": 0.001}),
        param_space={"index": tune.grid_search(list(range(len(tasks))))},
        tune_config=tune.TuneConfig(max_concurrent_trials=num_slots),
        run_config=tune.RunConfig(
            name="tune", storage_path=context.folder.ray.plain_location, verbose=0
        ),
    )
    started = time.perf_counter()
    results = tuner.fit()
    taken = time.perf_counter() - started
    if results.num_errors:
        raise RuntimeError(f"{results.num_errors} trials failed: {results.errors[0]}")
    return taken


def spread(records: list[TrialRecord], count: int) -> list[TrialRecord]:
    """`count` of the records, evenly spaced: not just the first, which the space names itself."""
    step = len(records) / count
    return [records[int((one + 0.5) * step)] for one in range(count)]


def described(records: list[TrialRecord]) -> str:
    """How much work trials were."""
    rounds = sum(len(seed.rounds) for one in records for seed in one.seeds)
    training_s = sum(one.training_s for one in records) / len(records)
    return f"{rounds / len(records):.1f} rounds and {training_s:.2f} s of training a trial"


def report_share(records: list[TrialRecord], taken: float, num_slots: int) -> None:
    """Print what our trials' time and that of the slots went into."""
    wall_s = sum(one.wall_s for one in records)
    training_s = sum(one.training_s for one in records)
    seeds = [seed for one in records for seed in one.seeds]
    fresh = [one for seed in seeds for one in seed.rounds if not one.reused]
    choosing_s = sum(one.choosing_s for one in fresh)
    print(
        f"of a trial's wall time, {training_s / wall_s:.0%} is training, {choosing_s / wall_s:.0%} "
        f"predicting the pool and choosing from it, "
        f"{1 - (training_s + choosing_s) / wall_s:.0%} neither (opening data, waiting for another "
        f"trial's stage, records); slots were without a trial for "
        f"{1 - wall_s / (taken * num_slots):.0%} of the search"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--against", choices=tuple(_WAYS), default="trainer")
    parser.add_argument("--preset", choices=("modern", "spoter_small"), default="spoter_small")
    parser.add_argument("--num-trials", type=int, default=16)
    parser.add_argument("--num-other-trials", type=int, default=4, help="of them, the other side's")
    parser.add_argument("--num-slots", type=int, default=os.cpu_count(), help="trials at once")
    parser.add_argument("--num-epochs", type=int, default=2)
    parser.add_argument("--steps-per-epoch", type=int, default=10)
    given = parser.parse_args(arguments)
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    with tempfile.TemporaryDirectory() as temporary:
        run = small_run(Path(temporary) / "ours", given)
        # Two workers, only so that Ray gets the dashboard that its trainers need.
        with connected(run.options, Workers(num_workers=2, cpus=run.options.trial_cpus)):
            taken = ours(run)
            records = [folder.trial() for folder in run.folder.trials()]
            failed = [one.error for one in records if one.status != "complete"]
            if failed:
                raise RuntimeError(f"{len(failed)} trials did not complete: {failed[0]}")
            print(f"ours: {len(records)} trials in {taken:.1f} s; {described(records)}", flush=True)
            report_share(records, taken, given.num_slots)
            context = replace(
                run.context, folder=RunFolder(str(Path(temporary) / "other")), share_stages=False
            )
            tasks = []
            for one in spread(records, min(given.num_other_trials, len(records))):
                tree = run.folder.trial(one.number).read_config()
                config = build_experiment(tree, f"trial {one.number}")
                tasks.append(TrialTask(context, one.number, config, one.params, one.source))
            if given.against == "trainer":
                other = one_trainer_a_trial(context, tasks, given.num_slots)
        # Without Ray beside it, which this way does not have.
        if given.against == "optuna":
            other = PlainOptuna(Path(temporary) / "plain.journal", tasks).seconds(given.num_slots)
        done = [record for task in tasks if (record := task.folder.read_progress()) is not None]
        print(f"{_WAYS[given.against]}: {len(done)} trials in {other:.1f} s; {described(done)}")
    scaled = other / len(done) * len(records)
    print(f"scaled to {len(records)} trials: {scaled:.1f} s")
    print(f"ratio: {scaled / taken:.1f}")


if __name__ == "__main__":
    main()
