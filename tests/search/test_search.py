"""The search on Ray as a user runs it: end to end, killed and resumed, with a failing trial."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from driver import environment, finished, kill, start, wait_for

from slr_ray.records.log import read_log
from slr_ray.records.measured import MeasuredRecord
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import ArmRecord, RunRecord, TrialRecord

SPACE = """
name: tiny
data: {kind: embedded, num_glosses: 4, num_signers: 8, seed: 1}
pool: {kind: fraction, fraction: 0.1}
model: {width: 16, num_heads: 2, num_stages: 1, num_convolutions: 1}
training: {num_epochs: 2, steps_per_epoch: %(steps)d, batch_size: 16, max_frames: 8}
method:
  kind: sslr
  selection:
    choose:
      - {kind: top_per_gloss, num_clips: {int: [2, 9]}}
      - {kind: top_confidence, num_clips: {int: [5, 60]}}
  num_rounds: {int: [1, 3]}
default:
  method: {num_rounds: 2}
start_from:
  - {method.selection.kind: top_per_gloss, method.selection.num_clips: 5, method.num_rounds: 2}
search: {num_trials: 4, search_seeds: [0], final_seeds: [0, 1]}
"""

pytestmark = pytest.mark.ray


def tune(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return finished(tmp_path, "tune", *arguments)


def write_space(tmp_path: Path, steps: int = 3) -> None:
    (tmp_path / "tiny.yaml").write_text(SPACE % {"steps": steps})


def only_run(tmp_path: Path) -> Path:
    (run,) = (tmp_path / "runs").iterdir()
    return run


def trials(run: Path) -> list[TrialRecord]:
    files = sorted((run / "trials").glob("*/record.json"))
    return [TrialRecord.model_validate_json(file.read_text()) for file in files]


def test_the_main_job_end_to_end(tmp_path: Path) -> None:
    write_space(tmp_path)
    storage = ("--storage", str(tmp_path / "my runs"))
    done = tune(tmp_path, "--space", "tiny.yaml", "--max-concurrent", "1", *storage)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "my runs").iterdir()
    found = trials(run)
    assert [one.number for one in found] == [0, 1, 2, 3]
    assert found[0].source == "start_from"
    assert found[0].params["method.selection.num_clips"] == 5
    # One trained round 0 serves every trial on the same draw.
    reused = [one.seeds[0].rounds[0].reused for one in found]
    assert reused == [False, True, True, True]
    best = max(
        (one for one in found if one.status == "complete"),
        key=lambda one: (one.value or 0, -one.number),
    )
    arms = [
        ArmRecord.model_validate_json(one.read_text()) for one in run.glob("final/*/*/record.json")
    ]
    assert len(arms) == 6 * 2
    told = Counter(one.event for one in read_log(RunFolder(str(run))))
    assert (told["run_started"], told["run_ended"]) == (1, 1)
    assert told["trial_started"] == told["trial_complete"] + told["trial_pruned"] == 4
    assert told["arm_started"] == told["arm_ended"] == 12
    assert told["round_ended"] >= 4
    steps = {(one.arm, one.seed): one.num_steps for one in arms}
    for seed in (0, 1):
        # The equal-steps baseline trains whole epochs: equal up to half an epoch of 3 steps.
        assert abs(steps["fsl_equal_steps", seed] - steps["sslr_best", seed]) <= 2
    config = json.loads(json.dumps(best.params))
    assert config["method.num_rounds"] >= 1
    # What the user is told to look at is there.
    for named in ("report.html", "report.md", "best/checkpoint.pt", "best/config.yaml"):
        assert (run / named).is_file(), named
        if named != "report.md":
            assert named in done.stdout
    assert any((run / "tensorboard" / "trial_0000").iterdir())
    assert RunRecord.model_validate_json((run / "run.json").read_text()).finished is not None
    # The printed rerun command gives the same test result, and the checkpoint predicts.
    (printed,) = (line for line in done.stdout.splitlines() if line.startswith("rerun:"))
    arguments = shlex.split(printed)[2:]
    assert arguments[:2] == ["-m", "slr_ray.train"]
    rerun = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert rerun.returncode == 0, rerun.stderr
    (found_again,) = tmp_path.glob("trained/seed_*/record.json")
    again = MeasuredRecord.model_validate_json(found_again.read_text())
    own = [one for one in arms if one.arm == "sslr_best"]
    first = max(own, key=lambda one: (one.validation.balanced_accuracy, -one.seed))
    assert again.seed == first.seed
    assert again.test.accuracy == pytest.approx(first.test.accuracy, abs=0.02)
    # A finished run has used its test set.
    refused = tune(tmp_path, "--resume", str(run))
    assert refused.returncode == 2
    assert "test set" in refused.stderr
    assert "slr_ray.report draws" in " ".join(refused.stderr.split())


def test_sigkill_in_mid_search_then_resume(tmp_path: Path) -> None:
    write_space(tmp_path, steps=12)
    arguments = ("--space", "tiny.yaml", "--max-concurrent", "1", "--num-trials", "5")
    driver = start(tmp_path, "tune", *arguments)
    wait_for(tmp_path, driver, "runs/*/trials/0001/record.json")
    kill(driver)
    run = only_run(tmp_path)
    before = {file: file.read_bytes() for file in run.glob("trials/*/record.json")}
    assert 2 <= len(before) < 5
    stages = {file: file.stat().st_mtime_ns for file in run.glob("stages/*.pt")}
    # A machine that goes down may leave half of the journal's last lines.
    journal = run / "optuna.journal"
    journal.write_bytes(journal.read_bytes()[:-300])

    done = tune(tmp_path, "--resume", str(run))
    assert done.returncode == 0, done.stdout + done.stderr
    for file, content in before.items():
        assert file.read_bytes() == content, f"{file} was run again"
    for file, stamp in stages.items():
        if not file.name.endswith(".partial.pt"):
            assert file.stat().st_mtime_ns == stamp, f"{file} was trained again"
    assert [one.number for one in trials(run)] == [0, 1, 2, 3, 4]
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(run / "optuna.journal")))
    study = optuna.load_study(study_name=run.name, storage=storage)
    told = {one.number: one for one in study.get_trials()}
    assert len(told) == 5
    for record in trials(run):
        assert told[record.number].state.is_finished()
        if record.status == "complete":
            assert told[record.number].value == record.value


def test_a_failing_trial_is_named_and_the_search_goes_on(tmp_path: Path) -> None:
    write_space(tmp_path)
    text = (tmp_path / "tiny.yaml").read_text()
    # The first setting to be tried diverges at once, the second one trains.
    rates = "optimiser: {kind: sgd, learning_rate: {choice: [0.1, 1.0e+30]}}"
    starts = "\n".join(
        "  - {method.selection.kind: top_per_gloss, method.selection.num_clips: 5, "
        f"method.num_rounds: 1, training.optimiser.learning_rate: {rate}}}"
        for rate in ("1.0e+30", "0.1")
    )
    text = text.replace("training: {", f"training: {{gradient_clip: null, {rates}, ")
    text = text.replace("default:", "default:\n  training: {optimiser: {learning_rate: 0.1}}")
    text = (
        text[: text.index("start_from:")]
        + f"start_from:\n{starts}\n"
        + text[text.index("search:") :]
    )
    (tmp_path / "tiny.yaml").write_text(text)
    done = tune(tmp_path, "--space", "tiny.yaml", "--max-failures", "1", "--num-trials", "2")
    run = only_run(tmp_path)
    found = trials(run)
    assert done.returncode == 1, done.stdout + done.stderr
    assert found[0].status == "failed"
    assert "NonFiniteLoss" in (found[0].error or "")
    assert "trial 0 is started again: NonFiniteLoss" in done.stdout
    assert "process died" not in done.stdout
    assert "trial 0 failed: NonFiniteLoss" in done.stdout
    assert "NonFiniteLoss" in (run / "report.html").read_text()
    assert found[1].status == "complete"


def test_a_second_driver_then_ctrl_c_then_a_time_budget(tmp_path: Path) -> None:
    """The first is refused, the second leaves a run to go on with, the third ends it.

    Tune returns from Ctrl-C as if the search were done: the test set must not be touched then.
    """
    write_space(tmp_path, steps=12)
    limits = ("--max-concurrent", "1", "--num-trials", "999", "--seeds", "1")
    driver = start(tmp_path, "tune", "--space", "tiny.yaml", *limits)
    wait_for(tmp_path, driver, "runs/*/trials/0000/record.json")
    second = tune(tmp_path, "--resume", str(only_run(tmp_path)))
    assert second.returncode == 2
    assert "another process" in second.stderr
    driver.send_signal(signal.SIGINT)
    printed = tmp_path / "log"
    assert driver.wait(timeout=60) == 130, printed.read_text()
    run = only_run(tmp_path)
    assert f"--resume {run}" in printed.read_text()
    assert "Traceback" not in printed.read_text()
    assert not (run / "final").exists()
    assert RunRecord.model_validate_json((run / "run.json").read_text()).finished is None
    assert {one.status for one in trials(run)} <= {"complete", "pruned"}

    # A second later time is up, and what there is by then is compared.
    done = tune(tmp_path, "--resume", str(run), "--time-budget", "1s")
    assert done.returncode == 0, done.stdout + done.stderr
    ended = {one.number for one in trials(run)}
    for number in {int(one.parent.name) for one in run.glob("trials/*/task.json")} - ended:
        # Neither a failure nor a result, and the user is told.
        assert f"trial {number}: cut off by the time budget" in done.stdout
    assert len(ended) < 999
    assert {one.status for one in trials(run)} <= {"complete", "pruned"}
    assert len(list(run.glob("final/*/*/record.json"))) == 6
    record = RunRecord.model_validate_json((run / "run.json").read_text())
    assert record.finished is not None

    # As it lies there where the driver was killed in its final comparison; a trial that would be
    # chosen now if trials were looked at again.
    (run / "run.json").write_text(record.model_copy(update={"finished": None}).model_dump_json())
    (run / "final/sslr_last/0/record.json").unlink()
    (chosen,) = record.chosen or ()
    params = {one.number: one.params for one in trials(run)}
    other = next(one for one in trials(run) if one.params != params[chosen])
    better = other.model_copy(update={"status": "complete", "value": 1.0})
    (run / f"trials/{other.number:04d}/record.json").write_text(better.model_dump_json())
    refused = tune(tmp_path, "--resume", str(run), "--num-trials", "1000")
    assert refused.returncode == 2
    assert "--num-trials 1000" in refused.stderr
    assert "test set" in refused.stderr
    before = set(run.glob("trials/*/*"))
    done = tune(tmp_path, "--resume", str(run))
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(run.glob("trials/*/*")) == before
    best, last = (
        yaml.safe_load((run / f"final/{arm}/0/config.yaml").read_text())
        for arm in ("sslr_best", "sslr_last")
    )
    assert last["method"] == best["method"]
    assert RunRecord.model_validate_json((run / "run.json").read_text()).chosen == [chosen]


def test_a_trial_on_two_workers_through_ray_train(tmp_path: Path) -> None:
    """Only the trial: each arm of the final comparison would start workers for a minute more."""
    write_space(tmp_path)
    driver = start(
        tmp_path,
        *("tune", "--space", "tiny.yaml", "--trial-workers", "2", "--trial-cpus", "1"),
        *("--num-trials", "1", "--seeds", "1"),
    )
    wait_for(tmp_path, driver, "runs/*/trials/0000/record.json")
    # As batch systems and spot machines do ahead of the end.
    driver.terminate()
    printed = tmp_path / "log"
    assert driver.wait(timeout=60) == 143, printed.read_text()
    run = only_run(tmp_path)
    assert f"terminated: go on with python -m slr_ray.tune --resume {run}" in printed.read_text()
    assert "Traceback" not in printed.read_text()
    (only,) = trials(run)
    assert only.status == "complete"
    assert [one.round for one in only.seeds[0].rounds] == [0, 1, 2]
