"""What `doctor --cluster` says of a cluster file, one test a line."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster_files import CLOUDS, FOLDER, filled, load

from slr_ray.errors import ConfigError
from slr_ray.workers.cluster_file import Line, lines

Told = Callable[..., dict[str, Line]]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The lines about a cluster, by what they are about."""

    def about(cluster: dict[str, Any]) -> dict[str, Line]:
        file = tmp_path / "cluster.yaml"
        file.write_text(yaml.safe_dump(cluster, sort_keys=False))
        return {line.what: line for line in lines(str(file))}

    return about


def kuberay() -> dict[str, Any]:
    text = (FOLDER / "kuberay/raycluster.yaml").read_text()
    content: dict[str, Any] = yaml.safe_load(text.replace("SET", "set"))
    return content


@pytest.mark.parametrize("name", [*CLOUDS, "local"])
def test_a_shipped_file_is_good_once_it_is_filled_in(name: str, told: Told) -> None:
    assert not told(load(name))["values to set"].is_good
    assert [line for line in told(filled(name)).values() if not line.is_good] == []


def test_so_is_the_one_for_kubernetes(told: Told) -> None:
    found = told(kuberay())
    assert [line for line in found.values() if not line.is_good] == []
    told_of = {"values to set", "ports", "token", "idle timeout", "torch of gpu-spot"}
    assert set(found) == told_of


def test_values_to_set_are_named_by_their_paths(told: Told) -> None:
    cluster = filled("aws")
    nodes = cluster["available_node_types"]
    nodes["head"]["node_config"]["ImageId"] = "ami-00000000000000000"
    nodes["gpu_spot"]["node_config"]["SecurityGroupIds"] = ["sg-SET"]
    line = told(cluster)["values to set"]
    assert line.found == (
        "available_node_types.head.node_config.ImageId, "
        "available_node_types.gpu_spot.node_config.SecurityGroupIds[0]"
    )
    assert line.advice
    # Words that hold the letters, and identifiers that hold zeros, are values.
    nodes["head"]["node_config"] |= {"ImageId": "ami-0aef000000001", "KeyName": "OFFSET_SETTING"}
    del nodes["gpu_spot"]
    assert told(cluster)["values to set"].is_good


def test_a_key_to_set_is_found_too(told: Told) -> None:
    line = told(yaml.safe_load((FOLDER / "kuberay/raycluster.yaml").read_text()))["values to set"]
    assert "spec.workerGroupSpecs[0].template.spec.nodeSelector.SET-spot" in line.found


def without_groups(cluster: dict[str, Any]) -> None:
    del cluster["available_node_types"]["cpu_spot"]["node_config"]["SecurityGroupIds"]


def without_network(cluster: dict[str, Any]) -> None:
    del cluster["available_node_types"]["head"]["node_config"]["networkInterfaces"]


def with_addresses(cluster: dict[str, Any]) -> None:
    del cluster["provider"]["use_internal_ips"]


def with_an_address_of_the_head(cluster: dict[str, Any]) -> None:
    cluster["provider"]["use_external_head_ip"] = True


@pytest.mark.parametrize(
    ("cloud", "opened"),
    [
        ("aws", without_groups),
        ("gcp", without_network),
        ("azure", with_addresses),
        ("azure", with_an_address_of_the_head),
    ],
)
def test_ssh_that_ray_would_open_to_the_world(
    cloud: str, opened: Callable[[dict[str, Any]], None], told: Told
) -> None:
    cluster = filled(cloud)
    opened(cluster)
    line = told(cluster)["ports"]
    assert not line.is_good
    assert "SSH" in line.found


def test_a_service_open_beyond_the_kubernetes_cluster(told: Told) -> None:
    cluster = kuberay()
    cluster["spec"]["headGroupSpec"]["serviceType"] = "LoadBalancer"
    assert not told(cluster)["ports"].is_good


@pytest.mark.parametrize("part", ["head_start_ray_commands", "worker_start_ray_commands"])
def test_ray_started_without_a_token(part: str, told: Told) -> None:
    cluster = filled("gcp")
    cluster[part] = [one.replace("RAY_AUTH_MODE=token ", "") for one in cluster[part]]
    line = told(cluster)["token"]
    assert not line.is_good
    assert part in line.found
    # Left out, Ray's own commands are taken, which have none.
    del cluster[part]
    assert not told(cluster)["token"].is_good


def test_kubernetes_without_a_token(told: Told) -> None:
    cluster = kuberay()
    del cluster["spec"]["authOptions"]
    assert not told(cluster)["token"].is_good


def test_nodes_that_idle_without_end(told: Told) -> None:
    cluster = filled("azure")
    for minutes, is_good in ((5, True), (60, True), (600, False)):
        cluster["idle_timeout_minutes"] = minutes
        assert told(cluster)["idle timeout"].is_good == is_good
    del cluster["idle_timeout_minutes"]
    assert "none" in told(cluster)["idle timeout"].found
    manifest = kuberay()
    manifest["spec"]["enableInTreeAutoscaling"] = False
    assert not told(manifest)["idle timeout"].is_good


def test_nodes_that_stay_without_work(told: Told) -> None:
    cluster = filled("aws")
    cluster["available_node_types"]["gpu_spot"]["min_workers"] = 2
    assert told(cluster)["nodes that stay"].found == "2 of gpu_spot, work or not"


@pytest.mark.parametrize("own_setup", [True, False])
def test_a_torch_for_processors_on_nodes_with_gpus(own_setup: bool, told: Told) -> None:
    cluster = filled("aws")
    kind = cluster["available_node_types"]["gpu_spot"]
    if own_setup:
        kind["worker_setup_commands"].append("pip install torch==2.13.0+cpu")
    else:
        # Then those of all nodes are taken, whose torch is for processors.
        del kind["worker_setup_commands"]
    assert not told(cluster)["torch of gpu_spot"].is_good
    assert "torch of cpu_spot" not in told(cluster)


def test_what_is_no_cluster_file_is_told(tmp_path: Path, told: Told) -> None:
    broken = copy.deepcopy(filled("aws"))
    del broken["head_node_type"]
    for tree in (broken, {"kind": "Service", "spec": {}}):
        with pytest.raises(ConfigError, match=r"cluster\.yaml.*cluster/"):
            told(tree)
    with pytest.raises(ConfigError, match="no such file"):
        list(lines(str(tmp_path / "nowhere.yaml")))
