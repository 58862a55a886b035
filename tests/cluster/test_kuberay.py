"""`cluster/kuberay/` against the definitions of KubeRay, and through Ray's own autoscaler for it.

`kuberay_v1.7.0_schemas.json.gz` has the schemas of RayCluster and RayJob as an API server applies
them, unknown fields refused: from ray-project/kuberay v1.7.0, helm-chart/kuberay-operator/crds
(Apache-2.0), without descriptions.
"""

from __future__ import annotations

import copy
import gzip
import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from cluster_files import FOLDER

from docs.hooks.commands import command

MANIFESTS = {
    (one["kind"], one["metadata"]["name"]): one
    for file in (FOLDER / "kuberay").glob("*.yaml")
    for one in yaml.safe_load_all(file.read_text())
}
CLUSTER: dict[str, Any] = MANIFESTS["RayCluster", "slr-ray"]


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    packed = Path(__file__).parent / "kuberay_v1.7.0_schemas.json.gz"
    content: dict[str, Any] = json.loads(gzip.decompress(packed.read_bytes()))
    return dict(content["schemas"])


@pytest.mark.parametrize("kind", ["RayCluster", "RayJob"])
class TestEachOfKubeRaysKinds:
    def test_fits_its_definition(self, kind: str, schemas: dict[str, Any]) -> None:
        (manifest,) = (one for (of, _), one in MANIFESTS.items() if of == kind)
        jsonschema.Draft202012Validator(schemas[kind]).validate(manifest)

    def test_a_misspelt_field_would_be_found(self, kind: str, schemas: dict[str, Any]) -> None:
        (manifest,) = (copy.deepcopy(one) for (of, _), one in MANIFESTS.items() if of == kind)
        manifest["spec"]["autoscalerOption"] = {}
        with pytest.raises(jsonschema.ValidationError, match="autoscalerOption"):
            jsonschema.Draft202012Validator(schemas[kind]).validate(manifest)


def test_the_network_policy_is_written_as_kuberay_would_write_it(schemas: dict[str, Any]) -> None:
    policy = MANIFESTS["NetworkPolicy", "slr-ray"]["spec"]
    head = schemas["RayCluster"]["properties"]["spec"]["properties"]["networkPolicy"]
    rules = head["properties"]["head"]["properties"]["ingressRules"]
    jsonschema.Draft202012Validator(rules).validate(policy["ingress"])
    assert policy["podSelector"] == {"matchLabels": {"ray.io/cluster": "slr-ray"}}
    sources = [source for rule in policy["ingress"] for source in rule["from"]]
    assert all("ipBlock" not in one and any(one.values()) for one in sources)


def test_ray_reads_two_groups_that_scale_from_nothing() -> None:
    from ray.autoscaler._private.kuberay import autoscaling_config

    manifest = copy.deepcopy(CLUSTER)
    manifest["metadata"]["namespace"] = "default"
    read = autoscaling_config._derive_autoscaling_config_from_ray_cr(manifest)
    kinds = read["available_node_types"]
    assert kinds["headgroup"]["resources"]["CPU"] == 0
    assert {name: one["resources"].get("GPU", 0) for name, one in kinds.items()} == {
        "headgroup": 0,
        "cpu-spot": 0,
        "gpu-spot": 1,
    }
    for name in ("cpu-spot", "gpu-spot"):
        assert (kinds[name]["min_workers"], kinds[name]["max_workers"]) == (0, 4)
        assert kinds[name]["resources"]["CPU"] in (4, 8)
    assert read["idle_timeout_minutes"] == 5
    assert read["max_workers"] == 8


class Kubernetes:
    """As much of the API as Ray calls, and what the operator does in answer."""

    def __init__(self) -> None:
        self.cluster = copy.deepcopy(CLUSTER)
        self.pods = [_pod("head", "headgroup", "head-0")]

    def get(self, path: str) -> dict[str, Any]:
        if path.startswith("rayclusters/"):
            return copy.deepcopy(self.cluster)
        return {"items": copy.deepcopy(self.pods), "metadata": {"resourceVersion": "1"}}

    def patch(self, path: str, payload: Any, content_type: str = "") -> dict[str, Any]:
        assert path == "rayclusters/slr-ray"
        for change in payload:
            at: Any = self.cluster
            *way, last = change["path"].strip("/").split("/")
            for step in way:
                at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
            at[last] = change["value"]
        for group in self.cluster["spec"]["workerGroupSpecs"]:
            self._follow(group)
        return copy.deepcopy(self.cluster)

    def _follow(self, group: dict[str, Any]) -> None:
        name = group["groupName"]
        gone = group.get("scaleStrategy", {}).get("workersToDelete", [])
        self.pods = [one for one in self.pods if one["metadata"]["name"] not in gone]
        labels = [one["metadata"]["labels"]["ray.io/group"] for one in self.pods]
        for number in range(labels.count(name), group["replicas"]):
            self.pods.append(_pod("worker", name, f"{name}-{number}"))


def _pod(node_type: str, group: str, name: str) -> dict[str, Any]:
    labels = {
        "ray.io/node-type": node_type,
        "ray.io/group": group,
        "ray.io/cluster": CLUSTER["metadata"]["name"],
    }
    running = {"containerStatuses": [{"state": {"running": {}}}]}
    return {"metadata": {"name": name, "labels": labels}, "status": running}


def test_ray_brings_pods_up_and_down_again() -> None:
    from ray.autoscaler.v2.instance_manager.cloud_providers.kuberay.cloud_provider import (
        KubeRayProvider,
    )

    kubernetes = Kubernetes()
    provider = KubeRayProvider(
        "slr-ray", {"namespace": "default"}, gcs_client=None, k8s_api_client=kubernetes
    )

    def kinds() -> list[str]:
        return sorted(one.node_type for one in provider.get_non_terminated().values())

    provider.launch({"gpu-spot": 2, "cpu-spot": 1}, "up")
    assert kinds() == ["cpu-spot", "gpu-spot", "gpu-spot", "headgroup"]
    workers = [name for name in provider.get_non_terminated() if not name.startswith("head")]
    provider.terminate(workers, "down")
    assert kinds() == ["headgroup"]
    assert provider.poll_errors() == []


def test_pods_of_one_cluster_agree_on_version_image_and_account() -> None:
    spec = CLUSTER["spec"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    pods = [group["template"]["spec"] for group in groups]
    images = [pod["containers"][0]["image"].rpartition(":")[2] for pod in pods]
    assert images == ["cpu", "cpu", "gpu"]
    accounts = {pod["serviceAccountName"] for pod in pods}
    assert accounts == {name for kind, name in MANIFESTS if kind == "ServiceAccount"}
    constraints = (FOLDER.parent / "constraints.txt").read_text()
    assert f"\nray=={spec['rayVersion']}\n" in constraints
    assert spec["authOptions"] == {"mode": "token"}


def test_the_job_runs_a_search_on_this_cluster() -> None:
    job = MANIFESTS["RayJob", "slr-ray-search"]["spec"]
    assert job["clusterSelector"] == {"ray.io/cluster": CLUSTER["metadata"]["name"]}
    python, module, name, *arguments = shlex.split(job["entrypoint"])
    assert (python, module, name) == ("python", "-m", "slr_ray.tune")
    assert command("tune").make_context("tune", arguments).params["wait_for_nodes"]
