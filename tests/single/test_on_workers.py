"""`train` and `pretrain` on two workers: one is lost, the result is that of an undisturbed run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from driver import environment
from experiment_factory import TINY, opened
from rich.console import Console
from torch import multiprocessing

from slr_ray.config import merge
from slr_ray.experiment.experiment import build_experiment
from slr_ray.experiment.initialisation import PretrainingConfig
from slr_ray.methods.pretraining import pretraining_key
from slr_ray.records.stages import StageStore, loads
from slr_ray.single.on_workers import Training
from slr_ray.single.pretrain import EncoderTraining
from slr_ray.single.train import SeedTraining
from slr_ray.storage import Store
from slr_ray.workers.losses import DIED
from slr_ray.workers.place import process_group, this_place

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

_SCRIPT = Path(__file__).resolve().parents[1] / "lost_worker.py"
TREE = merge(
    {"preset": "modern", **TINY},
    {"training": {"num_epochs": 5}, "initialisation": {"num_epochs": 8}, "model": {"dropout": 0.1}},
)
EXPERIMENT = build_experiment(TREE, "test")


def call(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TREE))
    return subprocess.run(
        [
            *(sys.executable, str(_SCRIPT), *arguments),
            *("--config", "config.yaml", "--workers", "2", "--out", "out"),
        ],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=280,
    )


def lost_and_gone_on(tmp_path: Path, command: str) -> list[str]:
    """The epochs that the leading worker began, in all tries."""
    done = call(tmp_path, command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"seed_0 goes on from its stages: {DIED}" in done.stdout
    assert "workers asked for: 2 times 1 CPU" in done.stdout
    assert done.stdout.count("training with 2 workers") == 2
    assert (tmp_path / "out" / "struck").exists()
    return (tmp_path / "out" / "epochs").read_text().split()


def _worker(rank: int, training: Training, rendezvous: str) -> None:
    torch.set_num_threads(1)
    with process_group(f"file://{rendezvous}", rank=rank, world_size=2):
        training.train(this_place(), Console(quiet=True))


def undisturbed(training: Training, tmp_path: Path) -> None:
    """The same on two processes, without Ray."""
    multiprocessing.spawn(_worker, (training, str(tmp_path / "rendezvous")), nprocs=2)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        times = {"training_s", "training_before_s", "choosing_s"}
        return {name: without_times(one) for name, one in value.items() if name not in times}
    return [without_times(one) for one in value] if isinstance(value, list) else value


@pytest.mark.chaos
def test_a_pretraining_goes_on_after_a_lost_worker(tmp_path: Path) -> None:
    epochs = lost_and_gone_on(tmp_path, "pretrain")
    # It did not begin again, and no epoch was left out.
    assert epochs.count("0") == 1
    assert set(epochs) == {str(one) for one in range(8)}
    key = pretraining_key(opened(EXPERIMENT), 0)
    expected = EncoderTraining(str(tmp_path / "expected"), EXPERIMENT, 0, key)
    undisturbed(expected, tmp_path)
    stages = StageStore(Store(str(tmp_path / "out" / "stages")))
    found, wanted = stages.load(key), expected.stages.load(key)
    assert without_times(found["epochs"]) == without_times(wanted["epochs"])
    for name, weights in wanted["encoder"].items():
        assert torch.equal(found["encoder"][name], weights), name
    assert (tmp_path / "out" / "encoder.pt").exists()
    assert list((tmp_path / "out" / "tensorboard" / "pretraining").iterdir())


def test_a_training_goes_on_in_mid_round_after_a_lost_worker(tmp_path: Path) -> None:
    epochs = lost_and_gone_on(tmp_path, "train")
    # Once for each of two rounds.
    assert epochs.count("0") == 2
    out = str(tmp_path / "out")
    found = SeedTraining(out, EXPERIMENT, 0).result
    expected = SeedTraining(str(tmp_path / "expected"), EXPERIMENT, 0)
    undisturbed(expected, tmp_path)
    record = found.measured().model_dump()
    assert without_times(record) == without_times(expected.result.measured().model_dump())
    assert found.predictions() == expected.result.predictions()
    weights = loads(expected.result.read_checkpoint())["model"]
    for name, one in loads(found.read_checkpoint())["model"].items():
        assert torch.equal(one, weights[name]), name


def test_workers_that_fail_end_with_their_cause(tmp_path: Path) -> None:
    assert isinstance(EXPERIMENT.initialisation, PretrainingConfig)
    done = call(tmp_path, "pretrain", "initialisation.optimiser.learning_rate=1e30")
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: seed_0 failed: NonFiniteLoss: the loss is ")
    assert "lower initialisation.optimiser.learning_rate" in line
