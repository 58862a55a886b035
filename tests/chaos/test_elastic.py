"""A training on nodes that come and are killed: it goes on on those that come after them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from experiment_factory import TINY
from fake_cluster import FakeCluster, wait_until

from slr_ray.config import merge
from slr_ray.experiment.encoder_file import load_encoder

_CHECKOUT = Path(__file__).resolve().parents[2]
_EPOCHS = 300

pytestmark = [pytest.mark.ray, pytest.mark.chaos, pytest.mark.timeout(600)]


def test_a_training_goes_on_where_its_nodes_were_killed(tmp_path: Path) -> None:
    tree = merge({"preset": "modern", **TINY}, {"initialisation": {"num_epochs": _EPOCHS}})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree))
    log, out = tmp_path / "log", tmp_path / "out"
    out.mkdir()
    # No worker kills itself here; a checkpoint after each epoch is what is wanted.
    (out / "struck").touch()
    with FakeCluster({"CPU": 1}, max_nodes=2) as cluster:
        driver = start(cluster, tmp_path, "out", "--workers", "2", "--min-workers", "1")

        def goes_on() -> bool:
            assert driver.poll() is None, log.read_text()
            return bool(list(out.glob("stages/*.partial.pt")))

        wait_until(goes_on, log.read_text)
        # Whichever of them has the workers.
        for node in cluster.nodes():
            cluster.kill_node(node)
        wait_until(lambda: driver.poll() is not None, log.read_text)
        printed = log.read_text()
        assert driver.returncode == 0, printed
        assert "workers asked for: 1 to 2 times 1 CPU" in printed
        assert "goes on from its stages" in printed
        assert printed.count("training with ") >= 2
        # It did not begin again.
        assert (out / "epochs").read_text().split().count("0") == 1
        assert len(load_encoder(out).epochs) == _EPOCHS

        # An autoscaler that can't give all of them gives none.
        wait_until(lambda: not cluster.nodes(), lambda: str(cluster.nodes()))
        refused = start(cluster, tmp_path, "none", "--workers", "3", "--min-workers", "1")
        wait_until(lambda: refused.poll() is not None, log.read_text)
    assert refused.returncode == 2, log.read_text()
    assert "the training asks for 1 to 3 times 1 CPU" in log.read_text()
    assert "lower --gpus-per-worker, --cpus-per-worker or --workers" in log.read_text()


def start(cluster: FakeCluster, folder: Path, out: str, *arguments: str) -> subprocess.Popen[bytes]:
    """`slr_ray.pretrain` on the cluster, its output in `log`."""
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [
                *(sys.executable, str(_CHECKOUT / "tests" / "lost_worker.py"), "pretrain"),
                *("--config", "config.yaml", "--out", out, "--address", cluster.address),
                *("--wait-for-nodes", "--shared-storage", *arguments),
            ],
            cwd=folder,
            env={
                **cluster.environment,
                "PYTHONPATH": str(_CHECKOUT),
                "SLR_RAY_CACHE": str(folder / "cache"),
                "COLUMNS": "200",
            },
            stdout=log,
            stderr=log,
        )
