"""What every node of a cluster is asked: the same code, a place that it can write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slr_ray.errors import ConfigError, StorageError
from slr_ray.storage import calls, that_answered
from slr_ray.workers import every_node
from slr_ray.workers.every_node import check_code, check_written, code_fingerprint
from slr_ray.workers.session import ray_session


def test_another_code_on_a_node_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("0123456789abcdef", code_fingerprint()), ("fedcba9876543210", "another")]
    monkeypatch.setattr(every_node, "_on_every_node", lambda *_: answers)
    with pytest.raises(ConfigError, match=rf"node fedcba98: not the slr_ray.*{code_fingerprint()}"):
        check_code([])
    monkeypatch.setattr(every_node, "_on_every_node", lambda *_: answers[:1])
    assert check_code([]) == "the same on 1 nodes"


def test_every_change_of_the_code_is_another_one(tmp_path: Path) -> None:
    seen = set()
    for name, text in (("one.py", "a"), ("one.py", "b"), ("two.py", "b"), ("deep/one.py", "b")):
        package = tmp_path / str(len(seen))
        (package / name).parent.mkdir(parents=True)
        (package / name).write_text(text)
        seen.add(code_fingerprint(package))
    assert len(seen) == 4


@pytest.mark.ray
def test_nodes_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(calls, "_answered", {"s3://bucket"})
    with ray_session(None, dashboard=False):
        # Whose first request comes in an outage waits as long as the driver would.
        assert ray.get(ray.remote(that_answered).remote()) == ["s3://bucket"]
        nodes: list[dict[str, Any]] = ray.nodes()
        gone = {**nodes[0], "NodeID": "0" * 56, "Alive": False}
        assert check_code([*nodes, gone]) == "the same on 1 nodes"
        assert check_written(nodes, str(tmp_path / "runs")) == "written by 1 nodes"
        (tmp_path / "file").touch()
        with pytest.raises(StorageError, match=r"node .*file"):
            check_written(nodes, str(tmp_path / "file" / "runs"))
