"""Commands as a user types them: fast help, one clear message and exit status 2 on a bad call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slr_ray.__main__ import COMMANDS
from slr_ray.tune import main as tune

_CHECKOUT = Path(__file__).resolve().parents[2]


def call(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=120,
    )


@pytest.mark.parametrize("command", [f"slr_ray.{name}" for name in COMMANDS] + ["slr_ray"])
def test_help_needs_neither_torch_nor_ray(command: str) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{command!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_module({command!r}, run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "slow = {'torch', 'ray', 'optuna', 'sklearn'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


BAD_CALLS = {
    "unknown space": (["--space", "sslr_tresholds"], ["sslr_tresholds", "sslr_thresholds"]),
    "no space": ([], ["--space"]),
    "no such data": (["--space", "sslr_thresholds", "--data", "nowhere"], ["nowhere"]),
    "not parquet": (["--space", "sslr_thresholds", "--data", "text.parquet"], ["not a Parquet"]),
    "empty file": (["--space", "sslr_thresholds", "--data", "empty.parquet"], ["empty"]),
    "empty folder": (["--space", "sslr_thresholds", "--data", "folder"], ["no .parquet"]),
    "broken yaml": (["--space", "broken.yaml"], ["broken.yaml", "line"]),
    "impossible range": (["--space", "range.yaml"], ["method.num_rounds", "-5"]),
    "zero trials": (["--space", "sslr_thresholds", "--num-trials", "0"], ["num_trials", "0"]),
    "negative trials": (["--space", "sslr_thresholds", "--num-trials=-2"], ["-2"]),
    "old word": (
        ["--space", "sslr_thresholds", "--num-samples", "3"],
        ["--num-samples", "called --num-trials 3 now"],
    ),
    "too many gpus": (["--space", "sslr_thresholds", "--trial-gpus", "64"], ["--trial-gpus", "64"]),
    "shared gpu": (
        ["--space", "sslr_thresholds", "--trial-gpus", "0.5", "--trial-workers", "2"],
        ["--trial-gpus", "whole"],
    ),
    "too many cpus": (["--space", "sslr_thresholds", "--trial-cpus", "4096"], ["4096"]),
    "bad fraction": (["--space", "sslr_thresholds", "--labelled-fraction", "3"], ["fraction"]),
    "no signers": (["--space", "sslr_thresholds", "--labelled-signers", "0"], ["num_signers"]),
    "two pools": (
        ["--space", "sslr_thresholds", "--labelled-signers", "2", "--labelled-fraction", "0.1"],
        ["not both"],
    ),
    "bad override": (["--space", "sslr_thresholds", "training.num_epoks=3"], ["num_epochs"]),
    "no override": (["--space", "sslr_thresholds", "training"], ["section.field=value"]),
    "bad budget": (["--space", "sslr_thresholds", "--time-budget", "soon"], ["soon"]),
    "bad wait": (["--space", "sslr_thresholds", "--wait-at-most", "never"], ["--wait-at-most"]),
    "gpu hours of no gpu": (
        ["--space", "sslr_thresholds", "--max-gpu-hours", "3"],
        ["--max-gpu-hours 3", "--max-cpu-hours"],
    ),
    "money without a price": (
        ["--space", "sslr_thresholds", "--max-cost", "20"],
        ["--max-cost 20", "--price-per-hour"],
    ),
    # Nothing listens on port 1.
    "no cluster there": (
        ["--space", "sslr_thresholds", "--dry-run", "--address", "127.0.0.1:1"],
        ["--address 127.0.0.1:1", "no cluster answers"],
    ),
    "unwritable storage": (
        ["--space", "sslr_thresholds", "--storage", "text.parquet/x"],
        ["write"],
    ),
    "unknown storage": (["--space", "sslr_thresholds", "--storage", "abc://x"], ["abc://"]),
    "no run to resume": (["--resume", "folder"], ["run.json"]),
    "resume with a space": (["--resume", "folder", "--space", "x"], ["--space"]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where bad calls are made."""
    (tmp_path / "text.parquet").write_text("not parquet at all")
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.yaml").write_text("name: [")
    (tmp_path / "range.yaml").write_text("name: x\nmethod: {num_rounds: {int: [-5, 3]}}")
    return tmp_path


def refused(status: object, told: str, words: list[str], folder: Path) -> None:
    assert status == 2, told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1, told
    for word in words:
        assert word in told
    # No run was made.
    assert not (folder / "runs").exists() or not any((folder / "runs").iterdir())


@pytest.mark.parametrize("name", BAD_CALLS)
def test_a_bad_call_ends_with_one_message(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = BAD_CALLS[name]
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["tune", *arguments])
    with pytest.raises(SystemExit) as end:
        tune()
    refused(end.value.code, capsys.readouterr().err, words, folder)
    # Ray never started.
    assert "ray" not in sys.modules or not sys.modules["ray"].is_initialized()


def test_a_bad_call_is_refused_as_soon_as_it_can_be(folder: Path) -> None:
    """In an interpreter of its own: before what only trials need is imported."""
    code = (
        "import runpy, sys\n"
        "try:\n"
        "    runpy.run_module('slr_ray.tune', run_name='__main__', alter_sys=True)\n"
        "finally:\n"
        "    slow = {'ray', 'sklearn', 'scipy.stats', 'pandas', 'cmaes'} & set(sys.modules)\n"
        "    assert not slow, slow\n"
    )
    arguments, words = BAD_CALLS["no such data"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_CHECKOUT)},
        timeout=60,
    )
    refused(done.returncode, done.stderr, words, folder)


def test_unknown_command() -> None:
    done = call("slr_ray", "tun")
    assert done.returncode == 2
    assert "tune" in done.stderr


def test_doctor_finds_what_is_installed() -> None:
    done = call("slr_ray.doctor")
    assert done.returncode == 0, done.stdout
    assert "torch" in done.stdout
    assert "BAD" not in done.stdout


def test_doctor_asks_a_cluster_before_it_costs_money() -> None:
    file = str(_CHECKOUT / "cluster" / "aws.yaml")
    done = call(
        "slr_ray.doctor", "--address", "127.0.0.1:1", "--cluster", file, "--trial-gpus", "2"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    bad = [line for line in done.stdout.splitlines() if line.startswith("BAD")]
    told_of = ["BAD  values to set", "BAD  cluster file", "BAD  cluster"]
    assert [line.split(":")[0] for line in bad] == told_of
    assert "asks for 1 CPU and 2 GPU" in bad[1]
    assert "no cluster answers" in bad[2]


def test_predict_refuses_a_checkpoint_that_runs_code(tmp_path: Path) -> None:
    import pickle

    hostile = tmp_path / "evil.pt"
    hostile.write_bytes(pickle.dumps(subprocess.Popen))
    done = call("slr_ray.predict", "--checkpoint", str(hostile), "poses.parquet", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "safely" in done.stderr


def test_predict_names_the_checkpoint_in_a_folder(tmp_path: Path) -> None:
    for folder in ("seed_0", "seed_1"):
        (tmp_path / "out" / folder).mkdir(parents=True)
    (tmp_path / "out" / "seed_0" / "checkpoint.pt").touch()
    done = call("slr_ray.predict", "--checkpoint", "out", "poses.parquet", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "out is a folder: give the checkpoint's file, such as 'out/seed_0/checkpoint.pt'" in (
        " ".join(done.stderr.split())
    )
