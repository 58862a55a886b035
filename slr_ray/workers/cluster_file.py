"""What a cluster file would do to a search or a bill, found before it costs money.

Read are files of `ray up` and RayClusters of KubeRay. Ray itself refuses wrong fields; looked for
here is what it takes without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from slr_ray.config import read_yaml
from slr_ray.errors import ConfigError

_PLACEHOLDER = re.compile(r"(?<![A-Za-z])SET(?![A-Za-z])|\b(?:ami|sg|subnet)-0{8,}\b")
_TORCH_FOR_PROCESSORS = re.compile(r"whl/cpu\b|torch\S*\+cpu\b")
_SPOT = re.compile("spot", re.IGNORECASE)
_LONGEST_IDLE_MINUTES = 60.0


class Line(NamedTuple):
    """One thing looked at, as `doctor` prints it."""

    what: str
    is_good: bool
    found: str
    advice: str = ""


@dataclass(frozen=True)
class _Kind:
    """A kind of worker node."""

    name: str
    gpus: float
    is_spot: bool
    always: int
    """How many of it stay without work."""
    setup: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Cluster:
    kinds: tuple[_Kind, ...]
    open_to_world: str | None
    """How others reach it, where they do."""
    idle_minutes: float | None
    without_token: tuple[str, ...]
    """The places where Ray starts without one."""
    is_rented: bool = True


def lines(file: str) -> Iterator[Line]:
    """The remarks on a file; `ConfigError` where it is no cluster file."""
    tree = read_yaml(Path(file))
    try:
        cluster = _kuberay(tree) if tree.get("kind") == "RayCluster" else _ray_up(tree)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"--cluster {file}: no file for ray up and no RayCluster ({error!r}); see cluster/"
        ) from None
    left = ", ".join(_placeholders(tree))
    yield _line("values to set", not left, left or "all set", "the guides in cluster/ tell how")
    yield _token(cluster)
    if cluster.is_rented:
        yield _open(cluster)
        yield _idle(cluster)
        yield from _always(cluster)
    yield from _torch(cluster)


def _line(what: str, is_good: bool, found: str, advice: str) -> Line:
    return Line(what, is_good, found, "" if is_good else advice)


def _open(cluster: _Cluster) -> Line:
    way = cluster.open_to_world
    return _line("ports", way is None, way or "none is open to the world", "see cluster/")


def _token(cluster: _Cluster) -> Line:
    lacking = ", ".join(cluster.without_token)
    found = f"RAY_AUTH_MODE=token is not in {lacking}" if lacking else "wherever Ray starts"
    advice = "whoever reaches a Ray without a token can run code on it"
    return _line("token", not lacking, found, advice)


def _idle(cluster: _Cluster) -> Line:
    minutes = cluster.idle_minutes
    is_good = minutes is not None and minutes <= _LONGEST_IDLE_MINUTES
    found = "none is set" if minutes is None else f"{minutes:g} minutes"
    return _line("idle timeout", is_good, found, "idle nodes are paid for; 5 minutes do")


def _always(cluster: _Cluster) -> Iterator[Line]:
    for kind in cluster.kinds:
        if kind.always:
            found = f"{kind.always} of {kind.name}, work or not"
            yield _line("nodes that stay", False, found, "let min_workers (minReplicas) be 0")


def _torch(cluster: _Cluster) -> Iterator[Line]:
    for kind in cluster.kinds:
        if kind.gpus:
            wrong = next((one for one in kind.setup if _TORCH_FOR_PROCESSORS.search(one)), None)
            found = "for CUDA, as far as the file says" if wrong is None else f"by {wrong!r}"
            advice = "that is a torch for processors: GPUs would be paid for and not used"
            yield _line(f"torch of {kind.name}", wrong is None, found, advice)


def _placeholders(node: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of values and keys that nobody has filled in yet."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            dotted = f"{path}.{key}" if path else str(key)
            if _PLACEHOLDER.search(str(key)):
                yield dotted
            else:
                yield from _placeholders(value, dotted)
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from _placeholders(value, f"{path}[{place}]")
    elif isinstance(node, str) and _PLACEHOLDER.search(node):
        yield path


def _ray_up(tree: Mapping[str, Any]) -> _Cluster:
    provider = tree["provider"]
    types = {} if provider["type"] == "local" else tree["available_node_types"]
    minutes = tree.get("idle_timeout_minutes")
    common = [*tree.get("setup_commands", []), *tree.get("worker_setup_commands", [])]
    return _Cluster(
        kinds=tuple(
            _Kind(
                name,
                float(one["resources"].get("GPU", 0)),
                _is_spot(one["node_config"]),
                one.get("min_workers", 0),
                tuple(one.get("worker_setup_commands", common)),
            )
            for name, one in types.items()
            if name != tree["head_node_type"]
        ),
        open_to_world=_way_in(provider, [one["node_config"] for one in types.values()]),
        idle_minutes=None if minutes is None else float(minutes),
        without_token=tuple(
            part
            for part in ("head_start_ray_commands", "worker_start_ray_commands")
            if not _has_token(tree.get(part, []))
        ),
        is_rented=provider["type"] != "local",
    )


def _has_token(commands: list[str]) -> bool:
    starts = [one for one in commands if "ray start" in one]
    return bool(starts) and all("RAY_AUTH_MODE=token" in one for one in starts)


def _is_spot(node: Mapping[str, Any]) -> bool:
    asked = (
        node.get("InstanceMarketOptions", {}).get("MarketType"),
        node.get("scheduling", {}).get("provisioningModel"),
        node.get("azure_arm_parameters", {}).get("priority"),
    )
    return any(_SPOT.fullmatch(str(one)) for one in asked)


def _way_in(provider: Mapping[str, Any], nodes: list[Mapping[str, Any]]) -> str | None:
    """How the world reaches port 22, by what Ray does where a file leaves it the choice."""
    kind = provider["type"]
    if kind == "aws" and any(
        not {"SecurityGroupIds", "NetworkInterfaces"} & node.keys() for node in nodes
    ):
        return "a node without SecurityGroupIds: Ray's own group opens SSH to the world"
    if kind == "gcp" and any("networkInterfaces" not in node for node in nodes):
        return "a node without networkInterfaces: the default network opens SSH to the world"
    if kind == "azure" and not provider.get("use_internal_ips"):
        return "no use_internal_ips: Ray's template opens SSH to the world"
    if kind == "azure" and provider.get("use_external_head_ip"):
        return "use_external_head_ip: Ray's template opens the head's SSH to the world"
    return None


def _kuberay(tree: Mapping[str, Any]) -> _Cluster:
    spec, options = tree["spec"], tree["spec"].get("autoscalerOptions", {})
    head = spec["headGroupSpec"]
    scales, seconds = spec.get("enableInTreeAutoscaling"), options.get("idleTimeoutSeconds")
    has_token = spec.get("authOptions", {}).get("mode") == "token"
    is_served = head.get("enableIngress") or head.get("serviceType") in ("NodePort", "LoadBalancer")
    return _Cluster(
        kinds=tuple(_group(one) for one in spec["workerGroupSpecs"]),
        open_to_world="the head's service is open beyond the cluster" if is_served else None,
        idle_minutes=seconds / 60 if scales and seconds is not None else None,
        without_token=() if has_token else ("authOptions",),
    )


def _group(group: Mapping[str, Any]) -> _Kind:
    pod = group["template"]["spec"]
    limits = pod["containers"][0].get("resources", {}).get("limits", {})
    gpus = sum((float(count) for name, count in limits.items() if name.endswith("/gpu")), 0.0)
    placed = str([pod.get("nodeSelector"), pod.get("tolerations")])
    return _Kind(group["groupName"], gpus, bool(_SPOT.search(placed)), group["minReplicas"])
