"""A process that is killed from outside, as a user meets it: no failure, but not free either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from driver import environment, kill, start, wait_for
from fake_cluster import wait_until
from test_search import only_run, trials, tune, write_space

from slr_ray.records.log import read_log
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.tries import LOST, Tries, spent
from slr_ray.workers.losses import DIED

pytestmark = [pytest.mark.ray, pytest.mark.chaos]


def test_a_killed_process_is_no_failure_and_its_hours_count(tmp_path: Path) -> None:
    write_space(tmp_path, steps=60)
    limits = ("--num-trials", "999", "--seeds", "1", "--max-concurrent", "1", "--max-failures", "0")
    driver = start(tmp_path, "tune", "--space", "tiny.yaml", *limits)
    wait_for(tmp_path, driver, "runs/*/trials/0000/progress.json")
    run = only_run(tmp_path)
    folder = RunFolder(str(run))

    def workers() -> list[str]:
        return [one.who for one in read_log(folder) if one.event == "round_ended"]

    wait_until(lambda: bool(workers()), (tmp_path / "log").read_text)
    who = workers()[0]
    os.kill(int(who.split(":")[1]), signal.SIGKILL)
    wait_for(tmp_path, driver, "runs/*/trials/0000/record.json")
    kill(driver)
    assert trials(run)[0].status in ("complete", "pruned")
    printed = (tmp_path / "log").read_text()
    assert f"trial 0 is started again: {DIED}" in printed
    # What Ray prints of it is kept, but not between the lines of the search.
    assert "raylet" not in printed
    assert "Worker exit type" in (run / "ray" / "driver.log").read_text()

    # The hours of all tries, of this start and the one before, are spent: no trial begins.
    before = set(folder.begun_trials())
    done = tune(tmp_path, "--resume", str(run), "--max-cpu-hours", "1e-6", "--price-per-hour", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the search ends: the budget of 1e-06 processor-hours is spent" in done.stdout
    assert set(folder.begun_trials()) <= {*before, max(before) + 1}
    tries = Tries(read_log(folder)).all()
    lost = [one for one in tries if one.outcome == LOST]
    # That of the killed process, and what ran when the driver was killed.
    assert [(one.what, one.cpus, one.gpus) for one in lost[:1]] == [("trial 0", 1.0, 0.0)]
    assert len(lost) <= 2
    assert lost[0].who == who
    assert spent(lost).cpu_h > 0
    assert f"lost tries: {len(lost)} (" in done.stdout
    assert "cost at 2 an hour of a processor: " in done.stdout


_AT_RESET = """
import ray
from ray.tune.execution.tune_controller import TuneController

reset = TuneController._schedule_trial_reset
killed = []

def killed_meanwhile(controller, trial, *rest):
    reset(controller, trial, *rest)
    if not killed:
        actor = controller._trial_to_actor[trial]
        ray.kill(controller._actor_manager._live_actors_to_ray_actors_resources[actor][0])
        killed.append(trial)

TuneController._schedule_trial_reset = killed_meanwhile
from slr_ray.tune import main
main()
"""


def test_a_process_killed_between_two_trials_is_no_failure(tmp_path: Path) -> None:
    write_space(tmp_path, steps=2)
    options = ("--space", "tiny.yaml", "--num-trials", "3", "--seeds", "1", "--max-concurrent", "1")
    done = subprocess.run(
        [sys.executable, "-c", _AT_RESET, *options],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"is started again: {DIED}" in done.stdout
    assert {one.status for one in trials(only_run(tmp_path))} <= {"complete", "pruned"}
