"""TensorBoard's files: each point once, while the trial runs, and on any machine."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from record_factory import seed_record
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.board import board_command, fetch_board
from slr_ray.search import listeners
from slr_ray.search.listeners import BoardListener

METRIC = "accuracy"
CURVE = "epoch/seed_0/validation/accuracy"


def record(num_rounds: int, status: str = "running") -> TrialRecord:
    """A trial of three rounds that has come so far."""
    seed = seed_record(0, 0.8, 3)
    reached = {"rounds": seed.rounds[:num_rounds], "epochs": seed.epochs[: 12 * num_rounds]}
    reached["best_round"] = num_rounds - 1
    return TrialRecord(
        number=3,
        status=status,
        params={"training.num_epochs": 12},
        value=0.8,
        seeds=[seed.model_copy(update=reached)],
        error=None,
        wall_s=1.0,
        training_s=1.0,
        source="searched",
    )


def shown(folder: RunFolder) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads where it is called as the command says."""
    program, option, logs = shlex.split(board_command(folder.store))
    assert (program, option) == ("tensorboard", "--logdir")
    multiplexer = EventMultiplexer().AddRunsFromDirectory(logs).Reload()
    runs = multiplexer.Runs()
    if not runs:
        return {}
    assert list(runs) == ["trial_0003"]
    tags = runs["trial_0003"]["scalars"]
    return {
        tag: [(one.step, one.value) for one in multiplexer.Scalars("trial_0003", tag)]
        for tag in tags
    }


@pytest.fixture(params=["folder", "uri"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    """pyarrow's store in memory stands for one behind a URI."""
    here = request.param == "folder"
    return RunFolder(str(tmp_path / "a run") if here else f"mock:///bucket{tmp_path}/run")


def test_curves_are_there_while_a_trial_runs_and_once_at_its_end(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "_CURVES_EVERY_S", 0.0)
    told = BoardListener(folder, [METRIC])
    told.started(3)
    for num_rounds in (1, 2):
        folder.trial(3).write_progress(record(num_rounds))
        told.progressed(3, {})
        assert len(shown(folder)[CURVE]) == 12 * num_rounds
    # Its process was lost; it begins again, and what it reached before comes from its stages.
    told.started(3)
    told.progressed(3, {})
    whole = record(3, "complete")
    told.ended(whole)
    at_the_end = shown(folder)
    assert at_the_end[CURVE] == [
        (one.num_steps, pytest.approx(one.validation.accuracy)) for one in whole.seeds[0].epochs
    ]
    assert at_the_end[f"hparam/{METRIC}"] == [(2, pytest.approx(0.8))]


def test_each_fold_has_curves_of_its_own(tmp_path: Path) -> None:
    """Draws of a search in folds share seeds: seed 0 is in folds 0 and 2."""
    folder = RunFolder(str(tmp_path / "run"))
    of_folds = [
        seed_record(seed, 0.6 + fold / 10, 3).model_copy(update={"fold": fold})
        for seed, fold in ((0, 0), (1, 1), (0, 2))
    ]
    whole = record(3, "complete").model_copy(update={"seeds": of_folds})
    BoardListener(folder, [METRIC]).ended(whole)
    found = shown(folder)
    for one in of_folds:
        place = f"fold_{one.fold}/seed_{one.seed}"
        by_round = [(at.round, pytest.approx(at.validation.accuracy)) for at in one.rounds]
        assert found[f"round/{place}/validation/accuracy"] == by_round
        by_epoch = [(at.num_steps, pytest.approx(at.training_loss)) for at in one.epochs]
        assert found[f"epoch/{place}/training_loss"] == by_epoch
    assert CURVE not in found


def test_a_short_trial_is_read_at_its_end_only(folder: RunFolder) -> None:
    told = BoardListener(folder, [METRIC])
    told.started(3)
    folder.trial(3).write_progress(record(1))
    told.progressed(3, {})
    assert shown(folder) == {}


def test_an_earlier_try_of_another_driver_goes(folder: RunFolder) -> None:
    for num_rounds in (2, 1):
        BoardListener(folder, [METRIC]).ended(record(num_rounds, "complete"))
    assert len(shown(folder)[CURVE]) == 12


def test_another_machine_fetches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(f"mock:///bucket{tmp_path}/run")
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "driver"))
    BoardListener(folder, [METRIC]).ended(record(2, "complete"))
    written = shown(folder)
    monkeypatch.setenv("SLR_RAY_CACHE", str(tmp_path / "desk"))
    assert shown(folder) == {}
    fetch_board(folder.store)
    assert shown(folder) == written
