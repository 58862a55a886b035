"""Cluster files: what Ray would refuse, or run less safely than we promise, is found offline."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cluster_files import CLOUDS, FOLDER, filled, load, prepared

FILES = sorted(file.stem for file in FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    # Found without importing Ray, which would take seconds.
    spec = importlib.util.find_spec("ray")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "autoscaler" / "ray-schema.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_there_are_four_cluster_files() -> None:
    assert sorted(FILES) == ["aws", "azure", "gcp", "local"]


@pytest.mark.parametrize("name", FILES)
class TestEveryClusterFile:
    def test_fits_the_schema(self, name: str, schema: dict[str, Any]) -> None:
        jsonschema.validate(load(name), schema)

    def test_a_misspelt_field_would_be_found(self, name: str, schema: dict[str, Any]) -> None:
        with pytest.raises(jsonschema.ValidationError, match="max_worker_nodes"):
            jsonschema.validate({**load(name), "max_worker_nodes": 4}, schema)

    def test_every_node_asks_for_the_token(self, name: str) -> None:
        cluster = load(name)
        for part in ("head_start_ray_commands", "worker_start_ray_commands"):
            starts = [line for line in cluster[part] if "ray start" in line]
            assert starts
            assert all("RAY_AUTH_MODE=token" in line for line in starts)
        assert "~/.ray/auth_token" in cluster["file_mounts"]

    def test_nothing_is_left_to_set_when_its_guide_was_followed(self, name: str) -> None:
        assert "SET" in json.dumps(load(name))
        assert not re.search(r"\bSET\b", json.dumps(filled(name)))


@pytest.mark.parametrize("cloud", CLOUDS)
class TestEveryCloud:
    def test_head_is_on_demand_and_has_no_processors(self, cloud: str) -> None:
        head = load(cloud)["available_node_types"]["head"]
        assert load(cloud)["head_node_type"] == "head"
        assert head["resources"] == {"CPU": 0}
        assert "spot" not in json.dumps(head).lower()

    def test_extraction_and_training_scale_apart_from_nothing_to_a_ceiling(
        self, cloud: str
    ) -> None:
        cluster = load(cloud)
        workers = dict(cluster["available_node_types"])
        del workers["head"]
        assert {name: "GPU" in one["resources"] for name, one in workers.items()} == {
            "cpu_spot": False,
            "gpu_spot": True,
        }
        for node in workers.values():
            assert node["min_workers"] == 0
            assert 0 < node["max_workers"] <= cluster["max_workers"]
            assert "spot" in json.dumps(node["node_config"]).lower()
        assert cluster["idle_timeout_minutes"] == 5
        assert cluster["provider"]["cache_stopped_nodes"] is False

    def test_what_clouds_have_in_common_is_the_same(self, cloud: str) -> None:
        ours, first = load(cloud), load(CLOUDS[0])
        for part in (
            *("docker", "file_mounts", "rsync_exclude", "initialization_commands"),
            *("setup_commands", "head_start_ray_commands", "worker_start_ray_commands"),
            *("cluster_name", "max_workers"),
        ):
            assert ours[part] == first[part], part

    def test_nodes_with_gpus_get_a_torch_for_cuda_and_the_others_do_not(self, cloud: str) -> None:
        from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig

        config = AutoscalingConfig(prepared(filled(cloud)))
        setups = {
            "head": config.get_head_setup_commands(),
            "cpu_spot": config.get_worker_setup_commands("cpu_spot"),
            "gpu_spot": config.get_worker_setup_commands("gpu_spot"),
        }
        for kind, setup in setups.items():
            installing = next(one for one in setup if one.endswith(" ~/slr_ray"))
            assert "--constraint ~/slr_ray/constraints.txt" in installing
            assert ("whl/cpu" in installing) == (kind != "gpu_spot")
            assert any("torch.version.cuda" in one for one in setup) == (kind == "gpu_spot")
            image = config.get_docker_config(kind)["image"]
            assert image.endswith("-gpu") == (kind == "gpu_spot")


def test_every_image_has_the_ray_that_the_checks_ran_with() -> None:
    constraints = (FOLDER.parent / "constraints.txt").read_text()
    pinned = re.search(r"^ray==(.+)$", constraints, re.MULTILINE)
    assert pinned is not None
    files = [FOLDER / f"{cloud}.yaml" for cloud in CLOUDS] + [FOLDER / "Dockerfile"]
    for file in files:
        tags = re.findall(r"rayproject/ray:(\S+?)-py311", file.read_text())
        assert tags == [pinned[1]] * 2, file


def test_the_head_on_azure_gets_the_packages_that_ray_names() -> None:
    from ray.autoscaler._private.util import _get_default_config

    ours = load("azure")["head_setup_commands"][0].removeprefix("pip install --quiet ")
    theirs = _get_default_config({"type": "azure"})["head_setup_commands"][0]
    assert set(ours.split()) == set(theirs.removeprefix("pip install -U ").split())


def test_own_machines_join_at_once_and_stay() -> None:
    config = prepared(filled("local"))
    (kind,) = config["available_node_types"].values()
    assert kind["min_workers"] == kind["max_workers"] == config["max_workers"] == 2
