"""Searches on Ray's real autoscaler: nodes come together, go, are killed, or can't be had."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_cluster import FakeCluster, wait_until

from slr_ray.records.log import read_log
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.runs import TrialRecord

_CHECKOUT = Path(__file__).resolve().parents[2]
_BOOT_S = 15.0

# One round for each trial: what is tried here is the cluster.
SPACE = """
name: tiny
data: {kind: embedded, num_glosses: 4, num_signers: 8, seed: 1}
pool: {kind: fraction, fraction: 0.1}
model: {width: 16, num_heads: 2, num_stages: 1, num_convolutions: 1}
training: {num_epochs: 2, steps_per_epoch: %(steps)d, batch_size: 16, max_frames: 8}
method: {kind: sslr, num_rounds: 1, selection: {kind: top_per_gloss, num_clips: {int: [2, 9]}}}
search: {num_trials: 3, search_seeds: [0], final_seeds: [0], scheduler: {kind: none}}
"""

# Two minutes each on a quiet machine.
pytestmark = [pytest.mark.ray, pytest.mark.chaos, pytest.mark.timeout(600)]


class Driver:
    """`slr_ray.tune` on a cluster, its output in a file."""

    def __init__(self, cluster: FakeCluster, folder: Path, *arguments: str, steps: int = 3) -> None:
        self.folder = folder
        (folder / "tiny.yaml").write_text(SPACE % {"steps": steps})
        environment = {
            **cluster.environment,
            "PYTHONPATH": str(_CHECKOUT),
            "SLR_RAY_CACHE": str(folder / "cache"),
            "COLUMNS": "200",
        }
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "slr_ray.tune", "--space", "tiny.yaml"),
                    *("--address", cluster.address, *arguments),
                ],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def printed(self) -> str:
        return (self.folder / "log").read_text()

    def run(self) -> RunFolder:
        (run,) = (self.folder / "runs").iterdir()
        return RunFolder(str(run))

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def ends(self, status: int) -> str:
        """What it has printed by its end."""
        wait_until(self.has_ended, self.printed)
        assert self.process.returncode == status, self.printed()
        return self.printed()

    def has(self, pattern: str) -> bool:
        assert not self.has_ended(), self.printed()
        return bool(list(self.folder.glob(pattern)))

    def trials(self) -> list[TrialRecord]:
        return [one.trial() for one in self.run().trials()]


WAITING = ("--wait-for-nodes", "--shared-storage", "--seeds", "1")


def test_nodes_come_together_and_go(tmp_path: Path) -> None:
    """Three trials want a node each: the boot time is waited for once."""
    with FakeCluster({"CPU": 2}, boot_s=_BOOT_S) as cluster:
        driver = Driver(cluster, tmp_path, *WAITING, "--trial-cpus", "2")
        came: dict[str, float] = {}

        def all_came() -> bool:
            for one in cluster.nodes():
                came.setdefault(one, time.monotonic())
            return len(came) == 3

        wait_until(all_came, driver.printed)
        first, *_, last = sorted(cluster.asked()[:3])
        assert last - first < 5
        # One after the other they would be two boot times apart.
        assert max(came.values()) - min(came.values()) < _BOOT_S
        printed = driver.ends(0)
        assert "waiting for nodes" in printed
        assert [one.status for one in driver.trials()] == ["complete"] * 3
        # Nodes that idle are no losses.
        wait_until(lambda: not cluster.nodes(), lambda: str(cluster.nodes()))
        assert "was lost" not in printed


def test_a_node_that_is_killed_costs_no_trial(tmp_path: Path) -> None:
    with FakeCluster({"CPU": 2}, max_nodes=2) as cluster:
        limits = ("--trial-cpus", "2", "--max-failures", "0")
        driver = Driver(cluster, tmp_path, *WAITING, *limits, steps=80)
        wait_until(lambda: driver.has("runs/*/trials/*/progress.json"), driver.printed)
        cluster.kill_node(sorted(cluster.nodes())[0])
        printed = driver.ends(0)
    assert [one.status for one in driver.trials()] == ["complete"] * 3
    told = [line for line in printed.splitlines() if "was lost" in line]
    assert len([line for line in told if line.startswith("node ")]) == 1
    # What Ray prints of it, much or little, is kept, but not between the lines of the search.
    assert "state-dump" not in printed
    assert "raylet" not in printed
    assert "has been marked dead" in driver.run().ray.read_bytes("driver.log").decode()
    events = {one.event for one in read_log(driver.run())}
    assert {"node_lost", "trial_restarted"} <= events
    assert "lost tries: " in printed


@pytest.fixture(scope="module")
def gpu_nodes() -> Iterator[FakeCluster]:
    """Nodes with a GPU that only Ray believes in."""
    with FakeCluster({"CPU": 2, "GPU": 1}, max_nodes=2) as cluster:
        yield cluster


def test_what_no_kind_of_node_has_is_refused(gpu_nodes: FakeCluster, tmp_path: Path) -> None:
    driver = Driver(gpu_nodes, tmp_path, *WAITING, "--trial-gpus", "2")
    printed = driver.ends(2)
    assert "error: a trial asks for 1 CPU and 2 GPU, the largest node has 0 CPU" in printed
    assert "Traceback" not in printed
    assert not driver.trials()
    # Without an autoscaler to wait for, before anything is asked for.
    (tmp_path / "at_once").mkdir()
    at_once = Driver(gpu_nodes, tmp_path / "at_once", "--trial-gpus", "2", "--shared-storage")
    assert "--wait-for-nodes" in at_once.ends(2)


def test_a_local_folder_is_refused_where_nodes_come(gpu_nodes: FakeCluster, tmp_path: Path) -> None:
    driver = Driver(gpu_nodes, tmp_path, "--wait-for-nodes", "--dry-run")
    assert "--shared-storage" in driver.ends(2)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gpu_without_cuda_is_refused(
    gpu_nodes: FakeCluster, tmp_path: Path, workers: int
) -> None:
    """Never trained on the processor instead, never tried again and again; the search is kept."""
    several = ("--trial-gpus", "1", "--trial-workers", str(workers), "--num-trials", "1")
    driver = Driver(gpu_nodes, tmp_path, *WAITING, *several)
    printed = driver.ends(2)
    assert "error: GPUs reserved: 1, but torch" in printed
    assert "its process died" not in printed
    assert "is started again" not in printed
    assert not driver.trials()
    assert list(driver.run().begun_trials()) == [0]


def test_waiting_has_a_deadline(gpu_nodes: FakeCluster, tmp_path: Path) -> None:
    """One node more than may come: told once the time is up, with the way to go on."""
    several = ("--trial-cpus", "2", "--trial-workers", "3", "--wait-at-most", "6s")
    driver = Driver(gpu_nodes, tmp_path, *WAITING, *several)
    printed = driver.ends(2)
    assert "error: waited " in printed
    assert "3 times 2 CPU" in printed
    assert f"go on with python -m slr_ray.tune --resume {driver.run().location}" in printed
