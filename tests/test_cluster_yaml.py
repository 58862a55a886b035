"""Cluster files: what Ray would refuse, or run less safely than we promise, is found offline."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

FILES = sorted((Path(__file__).resolve().parents[1] / "cluster").glob("*.yaml"))


def load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    # Found without importing Ray, which would take seconds.
    spec = importlib.util.find_spec("ray")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "autoscaler" / "ray-schema.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_there_is_a_cluster_file() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
class TestEveryClusterFile:
    def test_fits_the_schema(self, file: Path, schema: dict[str, Any]) -> None:
        jsonschema.validate(load(file), schema)

    def test_a_misspelt_field_would_be_found(self, file: Path, schema: dict[str, Any]) -> None:
        with pytest.raises(jsonschema.ValidationError, match="max_worker_nodes"):
            jsonschema.validate({**load(file), "max_worker_nodes": 4}, schema)

    def test_head_is_one_of_its_node_types(self, file: Path) -> None:
        cluster = load(file)
        assert cluster["head_node_type"] in cluster["available_node_types"]

    def test_scales_from_nothing_to_a_ceiling(self, file: Path) -> None:
        cluster = load(file)
        workers = [
            node
            for name, node in cluster["available_node_types"].items()
            if name != cluster["head_node_type"]
        ]
        assert any(node["resources"].get("GPU", 0) for node in workers)
        for node in workers:
            assert node["min_workers"] == 0
            assert 0 < node["max_workers"] <= cluster["max_workers"]

    def test_every_node_asks_for_the_token(self, file: Path) -> None:
        cluster = load(file)
        for part in ("head_start_ray_commands", "worker_start_ray_commands"):
            starts = [line for line in cluster[part] if "ray start" in line]
            assert starts
            assert all("RAY_AUTH_MODE=token" in line for line in starts)
        assert "~/.ray/auth_token" in cluster["file_mounts"]


def test_aws_workers_are_spot_machines() -> None:
    aws = next(file for file in FILES if file.name == "aws.yaml")
    node = load(aws)["available_node_types"]["gpu_spot"]["node_config"]
    assert node["InstanceMarketOptions"]["MarketType"] == "spot"
