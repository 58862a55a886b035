"""A training that wants two nodes has one, which is killed: it goes on on the next one."""

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
_EPOCHS = 600

pytestmark = [pytest.mark.ray, pytest.mark.chaos, pytest.mark.timeout(600)]


def test_fewer_workers_train_and_go_on_where_a_node_was_killed(tmp_path: Path) -> None:
    tree = merge({"preset": "modern", **TINY}, {"initialisation": {"num_epochs": _EPOCHS}})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree))
    log, out = tmp_path / "log", tmp_path / "out"
    out.mkdir()
    # No worker kills itself here; a checkpoint after each epoch is what is wanted.
    (out / "struck").touch()
    with FakeCluster({"CPU": 1}, max_nodes=1) as cluster, log.open("w") as stream:
        driver = subprocess.Popen(
            [
                *(sys.executable, str(_CHECKOUT / "tests" / "lost_worker.py"), "pretrain"),
                *("--config", "config.yaml", "--out", "out", "--address", cluster.address),
                *("--workers", "2", "--min-workers", "1", "--wait-for-nodes", "--shared-storage"),
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
        (node,) = cluster.nodes()
        cluster.kill_node(node)
        wait_until(lambda: driver.poll() is not None, log.read_text)
    printed = log.read_text()
    assert driver.returncode == 0, printed
    assert "workers asked for: 1 to 2 times 1 CPU" in printed
    assert "was lost" in printed
    assert "goes on from its stages" in printed
    assert printed.count("training with 1 worker") == 2
    # It did not begin again.
    assert (out / "epochs").read_text().split().count("0") == 1
    assert len(load_encoder(out).epochs) == _EPOCHS
