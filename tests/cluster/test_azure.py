"""`cluster/azure.yaml` through Ray's Azure provider to a resource manager in memory.

Azure's packages are not needed: Ray's own code runs, over stand-ins for them, and its templates are
those that it ships.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_files import filled, launch, prepared

OUR_RULES = {"id": "/subscriptions/s/resourceGroups/slr-ray/networkSecurityGroups/slr-ray"}
IDENTITY = "/subscriptions/s/resourceGroups/slr-ray-data/userAssignedIdentities/slr-ray"
_STAND_INS = {
    "azure.common.credentials": ["get_cli_profile"],
    "azure.core.exceptions": ["HttpResponseError", "ResourceNotFoundError"],
    "azure.identity": ["AzureCliCredential", "DefaultAzureCredential"],
    "azure.mgmt.compute": ["ComputeManagementClient"],
    "azure.mgmt.network": ["NetworkManagementClient"],
    "azure.mgmt.resource": ["ResourceManagementClient"],
    "azure.mgmt.resource.resources.models": ["DeploymentMode"],
}


class Answer(types.SimpleNamespace):
    """What Azure's packages return: attributes, and a result that is there at once."""

    def result(self) -> Answer:
        return self

    def wait(self, timeout: float | None = None) -> None:
        """It is done."""


class Azure:
    """Stands for each of Azure's clients; remembers what is deployed.

    The network is there, with rules of our own, as cluster/azure.md has it made.
    """

    def __init__(self) -> None:
        self.deployed: list[dict[str, Any]] = []
        self.resource_groups = self.resources = self.deployments = self.providers = self
        self.resource_skus = self

    def create_or_update(self, **given: Any) -> Answer:
        """Of a resource group or a deployment."""
        if "deployment_name" in given:
            self.deployed.append(given["parameters"]["properties"])
        ids = {"nsg": "/nsg", "subnet": "/subnet", "msi": IDENTITY}
        return Answer(
            properties=Answer(outputs={name: {"value": one} for name, one in ids.items()})
        )

    def list_by_resource_group(self, *_: Any) -> list[Answer]:
        return [Answer(id="/network")]

    def get(self, *_: Any) -> Answer:
        return Answer(resource_types=[])

    def get_by_id(self, *_: Any) -> Answer:
        subnet = {"addressPrefix": "10.42.0.0/16", "networkSecurityGroup": OUR_RULES}
        return Answer(properties={"subnets": [{"properties": subnet}]})

    def list(self) -> list[Answer]:
        return []


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    cloud = Azure()
    monkeypatch.setenv("HOME", str(tmp_path))  # Ray leaves its key there.
    for path, names in _STAND_INS.items():
        for depth in range(1, path.count(".") + 2):
            part = ".".join(path.split(".")[:depth])
            if part not in sys.modules:
                monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
        for name in names:
            made: Any = type(name, (Exception,), {}) if "Error" in name else lambda *_, **__: cloud
            monkeypatch.setattr(sys.modules[path], name, made, raising=False)
    mode = Answer(incremental="Incremental")
    monkeypatch.setattr(sys.modules["azure.mgmt.resource.resources.models"], "DeploymentMode", mode)
    modules = [f"ray.autoscaler._private._azure.{name}" for name in ("config", "node_provider")]
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    usage = importlib.import_module("ray._common.usage.usage_lib")
    # It would ask the network which cloud this is.
    monkeypatch.setattr(usage, "get_cloud_from_metadata_requests", lambda: "unknown")
    yield cloud
    for name in modules:
        sys.modules.pop(name, None)


def deployed(azure: Azure, cluster: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is deployed for each kind of node, and first, as `network`, for all of them."""
    from ray.autoscaler._private._azure.node_provider import AzureNodeProvider

    config = AzureNodeProvider.bootstrap_config(prepared(cluster))
    provider = AzureNodeProvider(config["provider"], config["cluster_name"])
    for kind in config["available_node_types"]:
        launch(provider, config, kind)
    return dict(zip(["network", *config["available_node_types"]], azure.deployed, strict=True))


def given(deployment: dict[str, Any]) -> dict[str, Any]:
    return {name: one["value"] for name, one in deployment["parameters"].items()}


def mistakes(deployment: dict[str, Any]) -> Iterator[str]:
    """The parameters that the template does not know, lacks, or wants to be of another type."""
    kinds = {"string": str, "securestring": str, "int": int, "bool": bool, "object": dict}
    wanted, values = deployment["template"]["parameters"], given(deployment)
    for name in values.keys() - wanted.keys():
        yield f"{name} is unknown"
    for name, one in wanted.items():
        if name not in values:
            if "defaultValue" not in one:
                yield f"{name} is missing"
        elif not isinstance(values[name], kinds.get(one["type"], list)):
            yield f"{name} is {values[name]!r}"


def test_each_kind_of_node_asks_for_what_the_file_promises(azure: Azure) -> None:
    found = deployed(azure, filled("azure"))
    assert list(found) == ["network", "head", "cpu_spot", "gpu_spot"]
    for kind, one in found.items():
        assert list(mistakes(one)) == []
        if kind == "network":
            continue
        values = given(one)
        assert values["provisionPublicIp"] is False
        assert values["msi"] == IDENTITY
        assert values.get("priority", "Regular") == ("Regular" if kind == "head" else "Spot")
        assert kind == "head" or values["evictionPolicy"] == "Delete"


def test_nodes_take_the_identity_that_is_there(azure: Azure) -> None:
    values = given(deployed(azure, filled("azure"))["network"])
    assert values["createMsi"] is False
    assert (values["msiName"], values["msiResourceGroup"]) == ("slr-ray", "slr-ray-data")
    assert values["clusterId"] == "slr-ray-slr1"


def test_the_rules_of_our_network_stay_though_ray_brings_open_ones(azure: Azure) -> None:
    resources = deployed(azure, filled("azure"))["network"]["template"]["resources"]
    by_kind = {one["type"].rpartition("/")[2]: one.get("properties", {}) for one in resources}
    (rule,) = by_kind["networkSecurityGroups"]["securityRules"]
    assert rule["properties"]["sourceAddressPrefix"] == "*"
    (subnet,) = by_kind["virtualNetworks"]["subnets"]
    assert subnet["properties"]["networkSecurityGroup"] == OUR_RULES


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("prioritee", "Spot", "prioritee is unknown"), ("osDiskSize", "100", "osDiskSize is '100'")],
)
def test_what_the_template_does_not_know_is_found(
    name: str, value: Any, told: str, azure: Azure
) -> None:
    cluster = filled("azure")
    node = cluster["available_node_types"]["cpu_spot"]["node_config"]
    node["azure_arm_parameters"][name] = value
    assert list(mistakes(deployed(azure, cluster)["cpu_spot"])) == [told]
