"""A training on nodes that come and are killed: it goes on with those that are left."""

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
# The first checkpoint is written after ten seconds.
_EPOCHS = 3000

pytestmark = [pytest.mark.ray, pytest.mark.chaos, pytest.mark.timeout(900)]


def test_fewer_workers_go_on_where_a_node_was_killed(tmp_path: Path) -> None:
    tree = merge({"preset": "modern", **TINY}, {"initialisation": {"num_epochs": _EPOCHS}})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree))
    log, out = tmp_path / "log", tmp_path / "out"
    # The node in place of the killed one comes when all is over.
    with FakeCluster({"CPU": 1}, max_nodes=2, boot_s=1.0) as cluster, log.open("w") as stream:
        driver = subprocess.Popen(
            [
                *(sys.executable, "-m", "slr_ray.pretrain", "--config", "config.yaml"),
                *("--address", cluster.address, "--workers", "2", "--min-workers", "1"),
                *("--wait-for-nodes", "--shared-storage", "--out", "out"),
            ],
            cwd=tmp_path,
            env={
                **cluster.environment,
                "PYTHONPATH": str(_CHECKOUT),
                "SLR_RAY_CACHE": str(tmp_path / "cache"),
                "COLUMNS": "200",
            },
            stdout=stream,
            stderr=stream,
        )

        def goes_on() -> bool:
            assert driver.poll() is None, log.read_text()
            return bool(list(out.glob("stages/*.partial.pt")))

        wait_until(goes_on, log.read_text)
        cluster.kill_node(sorted(cluster.nodes())[0])
        wait_until(lambda: driver.poll() is not None, log.read_text)
    printed = log.read_text()
    assert driver.returncode == 0, printed
    assert "was lost" in printed
    assert "goes on from its stages" in printed
    assert "training with 1 worker" in printed.split("goes on from its stages")[1]
    assert len(load_encoder(out).epochs) == _EPOCHS
