"""`cluster/gcp.yaml` through Ray's provider to a Compute Engine in memory.

Each request's body is checked against the discovery document that google-api-python-client ships;
nothing leaves the machine.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_files import filled, launch, prepared

MISSING = "is not installed: pip install google-api-python-client google-auth-httplib2"
googleapiclient = pytest.importorskip(
    "googleapiclient", reason=f"google-api-python-client {MISSING}"
)
pytest.importorskip("google_auth_httplib2", reason=f"google-auth-httplib2 {MISSING}")
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]
PROJECT = "my-project"


class Google:
    """As much of three APIs as Ray calls; `calls` holds method, path and body of each request."""

    credentials = None

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.nodes: dict[str, Any] = {}

    def close(self) -> None:
        """Nothing is open."""

    def request(self, uri: str, method: str = "GET", body: Any = None, **_: Any) -> Any:
        import httplib2

        path = re.sub(r"\?.*", "", uri.split("googleapis.com")[1])
        data = json.loads(body) if body else None
        self.calls.append((method, path, data))
        answer = json.dumps(self._answer(method, path, data)).encode()
        return httplib2.Response({"status": 200, "content-type": "application/json"}), answer

    def _answer(self, method: str, path: str, data: Any) -> Any:
        if "/instances" in path:
            name = path.rpartition("/instances")[2].strip("/")
            if method == "POST" and not name:
                self.nodes[data["name"]] = {**data, "status": "RUNNING"}
            elif method == "DELETE":
                del self.nodes[name]
            else:
                return {"items": list(self.nodes.values())}
            return {"name": "operation", "status": "DONE"}
        if "operations" in path or path.endswith("/setCommonInstanceMetadata"):
            return {"name": "operation", "status": "DONE"}
        if path.endswith("IamPolicy"):
            return {"bindings": []}
        if "serviceAccounts" in path:
            return {"email": f"ray@{PROJECT}.iam.gserviceaccount.com", "projectId": PROJECT}
        if path.startswith("/compute"):
            return {"name": PROJECT, "commonInstanceMetadata": {"fingerprint": "f"}}
        return {"projectId": PROJECT, "lifecycleState": "ACTIVE"}


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Google:
    import ray.autoscaler._private.gcp.config as gcp_config
    from googleapiclient import discovery
    from googleapiclient.http import HttpRequest
    from ray.autoscaler._private.gcp.node import GCPCompute

    cloud = Google()

    def request(_: Any, *given: Any, **named: Any) -> Any:
        return HttpRequest(cloud, *given, **named)

    def client(api: str) -> Any:
        return discovery.build(api, "v1", http=cloud, requestBuilder=request, static_discovery=True)

    monkeypatch.setenv("HOME", str(tmp_path))  # Ray leaves its key there.
    for name, api in (
        ("_create_crm", "cloudresourcemanager"),
        ("_create_iam", "iam"),
        ("_create_compute", "compute"),
    ):
        monkeypatch.setattr(gcp_config, name, lambda _=None, api=api: client(api))
    monkeypatch.setattr(GCPCompute, "get_new_authorized_http", lambda *_: cloud)
    return cloud


def asked_for(google: Google, cluster: dict[str, Any]) -> dict[str, Any]:
    """The body of the request for each kind of node."""
    from ray.autoscaler._private.gcp.node_provider import GCPNodeProvider

    config = GCPNodeProvider.bootstrap_config(prepared(cluster))
    provider = GCPNodeProvider(config["provider"], config["cluster_name"])
    for kind in config["available_node_types"]:
        launch(provider, config, kind)
    for node in provider.non_terminated_nodes({}):
        provider.terminate_node(node)
    assert google.nodes == {}
    bodies = [
        body for way, path, body in google.calls if way == "POST" and path.endswith("/instances")
    ]
    return dict(zip(config["available_node_types"], bodies, strict=True))


def unknown(value: Any, schema: dict[str, Any], where: str = "instance") -> Iterator[str]:
    """The paths that Compute's schema does not know, or whose kind of value differs."""
    schemas = _schemas()
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = schema.get("type")
    expected = {"object": dict, "array": list, "boolean": bool}.get(str(kind))
    if expected is not None and not isinstance(value, expected):
        yield f"{where}: {value!r} is no {kind}"
    elif kind == "object":
        below = schema.get("additionalProperties")
        for key, one in value.items():
            known = schema.get("properties", {}).get(key, below)
            if known is None:
                yield f"{where}.{key}"
            else:
                yield from unknown(one, known, f"{where}.{key}")
    elif kind == "array":
        for one in value:
            yield from unknown(one, schema["items"], f"{where}[]")
    elif value not in schema.get("enum", [value]):
        yield f"{where}: {value!r} is not one of {schema['enum']}"


@functools.cache
def _schemas() -> dict[str, Any]:
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    document: dict[str, Any] = json.loads((folder / "compute.v1.json").read_text())
    return dict(document["schemas"])


def test_each_kind_of_node_asks_for_what_the_file_promises(google: Google) -> None:
    asked = asked_for(google, filled("gcp"))
    assert list(asked) == ["head", "cpu_spot", "gpu_spot"]
    for kind, one in asked.items():
        assert list(unknown(one, {"$ref": "Instance"})) == []
        assert [disk["autoDelete"] for disk in one["disks"]] == [True]
        (network,) = one["networkInterfaces"]
        assert network["subnetwork"].endswith("/subnetworks/slr-ray")
        account = "slr-ray-head" if kind == "head" else "slr-ray-worker"
        assert [each["email"] for each in one["serviceAccounts"]] == [
            f"{account}@{PROJECT}.iam.gserviceaccount.com"
        ]
        model = one.get("scheduling", {}).get("provisioningModel")
        assert model == (None if kind == "head" else "SPOT")


def test_ray_looks_for_no_network_of_its_own(google: Google) -> None:
    asked_for(google, filled("gcp"))
    assert not any("/subnetworks" in path for _, path, _ in google.calls)


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("schedulling", {"provisioningModel": "SPOT"}, "instance.schedulling"),
        ("scheduling", {"provisioningModel": "CHEAP"}, "'CHEAP' is not one of"),
        ("disks", {"autoDelete": True}, "is no array"),
    ],
)
def test_what_compute_does_not_know_is_found(
    part: str, value: Any, told: str, google: Google
) -> None:
    cluster = filled("gcp")
    cluster["available_node_types"]["gpu_spot"]["node_config"][part] = value
    found = list(unknown(asked_for(google, cluster)["gpu_spot"], {"$ref": "Instance"}))
    assert any(told in one for one in found)
