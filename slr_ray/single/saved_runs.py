"""The rounds that a folder of results holds, found again from its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.records.folds import draw_text
from slr_ray.records.run_folder import ResultFolder, RunFolder, trial_name
from slr_ray.records.stages import StageStore
from slr_ray.records.trained_folder import TrainedFolder
from slr_ray.reporting.run import load_run
from slr_ray.storage import Store, absolute
from slr_ray.workers.place import this_place


@dataclass(frozen=True)
class SavedRun:
    """One training: a seed, in its fold where there are any."""

    name: str
    """For reading."""
    run: SeedRun


def saved_runs(location: str, trial: int | None = None) -> tuple[str, list[SavedRun]]:
    """What the results are, in words, and each of their trainings.

    `location` is a folder of `slr_ray.train` or a run of `slr_ray.tune`, of which `trial` is looked
    at: by default the best one. Raises `DataError` where it is neither or has no rounds,
    `ConfigError` where there is no such trial.
    """
    store = Store(absolute(location))
    if RunFolder(store.location).exists():
        return _of_search(RunFolder(store.location), trial)
    if trial is not None:
        raise ConfigError(f"--trial {trial}: {location} is no run of slr_ray.tune")
    trained = TrainedFolder(store)
    finished = trained.finished()
    if not finished:
        raise DataError(
            f"{location} holds no finished results of slr_ray.train or slr_ray.tune; give the "
            "folder of its --out, or the run that slr_ray.tune printed"
        )
    told = f"{store.location}, {len(finished)} folds"
    if None in finished:
        told, finished = store.location, {None: finished[None]}
    stages, opener = StageStore(trained.stages), Opener()
    runs = [
        run
        for fold, seeds in finished.items()
        for run in _opened(
            trained.result(seeds[0], fold), [(seed, fold) for seed in seeds], stages, opener
        )
    ]
    return told, runs


def _of_search(folder: RunFolder, trial: int | None) -> tuple[str, list[SavedRun]]:
    run = load_run(folder.location)
    if trial is None:
        if run.winner is None:
            raise DataError(f"{folder.location}: {run.no_winner}; --trial names another one")
        trial = run.winner.number
    record = next((one for one in run.trials if one.number == trial), None)
    if record is None:
        there = ", ".join(str(one.number) for one in run.trials)
        raise ConfigError(f"--trial {trial}: no such ended trial; there are {there}")
    owner = None if folder.read_options().get("share_stages", True) else trial_name(trial)
    stages = StageStore(folder.stages(owner))
    told = f"{folder.location}, trial {trial}"
    # With folds a trial trains only some of the pairs of seed and fold.
    draws = [(one.seed, one.fold) for one in record.seeds]
    if not draws:
        raise DataError(f"{told}: it ended before any round was done")
    return told, _opened(folder.trial(trial), draws, stages, Opener())


def _opened(
    folder: ResultFolder,
    draws: Sequence[tuple[int, int | None]],
    stages: StageStore,
    opener: Opener,
) -> list[SavedRun]:
    """The trainings of one configuration, of each a seed and a fold."""
    origin = folder.config_location
    config = opener.build(folder.read_config(), origin)
    if config.task != "isolated":
        raise DataError(
            f"{origin}: a replay knows rounds on isolated signs only, and task is {config.task!r}"
        )
    if not isinstance(config.method, SslrConfig) or not config.method.num_rounds:
        raise DataError(
            f"{origin}: method.kind {config.method.kind!r} has no rounds that choose pseudo-labels"
        )
    prepared = {fold: opener.prepare(config.in_fold(fold)) for fold in {fold for _, fold in draws}}
    return [
        SavedRun(draw_text(seed, fold), prepare_seed(prepared[fold], seed, stages, this_place()))
        for seed, fold in draws
    ]
