"""What every node of a cluster has to answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from slr_ray.errors import ConfigError, StorageError
from slr_ray.storage.checks import check_storage
from slr_ray.workers.losses import told

_Answer = TypeVar("_Answer")
_PACKAGE = Path(__file__).resolve().parents[1]


def check_written(nodes: list[dict[str, Any]], place: str) -> str:
    """Have every node write to a place; `StorageError` where one can't."""
    return f"written by {len(_on_every_node(nodes, check_storage, place))} nodes"


def check_code(nodes: list[dict[str, Any]]) -> str:
    """`ConfigError` where a node has none of this machine's slr_ray, or another one."""
    own = code_fingerprint()
    found = _on_every_node(nodes, code_fingerprint)
    others = sorted({node[:8] for node, code in found if code != own})
    if others:
        raise ConfigError(
            f"node {', '.join(others)}: not the slr_ray of this machine (fingerprint {own}): "
            "install the same commit on all of them"
        )
    return f"the same on {len(found)} nodes"


def code_fingerprint(package: Path = _PACKAGE) -> str:
    """Of a package's modules, by default slr_ray's as it is installed."""
    digest = hashlib.sha256()
    for module in sorted(package.rglob("*.py")):
        digest.update(f"{module.relative_to(package)}\n".encode() + module.read_bytes())
    return digest.hexdigest()[:12]


def _on_every_node(
    nodes: list[dict[str, Any]], call: Callable[..., _Answer], *given: str
) -> list[tuple[str, _Answer]]:
    """What a call gives on each node, with the node's id; `StorageError` where it fails on one."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(call)
    asked = {}
    for one in nodes:
        if one["Alive"]:
            there = NodeAffinitySchedulingStrategy(one["NodeID"], soft=False)
            bound = task.options(num_cpus=0, max_retries=0, scheduling_strategy=there)
            asked[one["NodeID"]] = (one["NodeManagerHostname"], bound.remote(*given))
    answers = []
    for node, (host, found) in asked.items():
        try:
            answers.append((node, ray.get(found)))
        except ray.exceptions.RayError as error:
            raise StorageError(f"node {host}: {told(error)}") from None
    return answers
