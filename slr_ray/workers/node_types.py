"""What kinds of nodes a cluster file allows, and whether a trial fits on one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from slr_ray.errors import ConfigError
from slr_ray.workers.execution import Workers
from slr_ray.workers.waiting import largest


def check_types(file: str, workers: Workers) -> str:
    """The kinds of nodes of a file for `ray up`, in words; `ConfigError` where none is enough.

    A RayCluster of Kubernetes says elsewhere what its nodes have, and `local` not at all.
    """
    try:
        cluster: Any = yaml.safe_load(Path(file).read_text())
        if cluster.get("kind") == "RayCluster" or cluster["provider"]["type"] == "local":
            return "not compared with what a trial asks for: the file does not say what they have"
        types: dict[str, Any] = cluster["available_node_types"]
        counts = {
            name: min(int(one.get("max_workers", 0)), int(cluster.get("max_workers", 2)))
            for name, one in types.items()
        }
        there = {
            name: {key: float(amount) for key, amount in (one.get("resources") or {}).items()}
            for name, one in types.items()
        }
        # The head is one of its kind, whatever else may be made of it.
        counts[cluster["head_node_type"]] = counts.get(cluster["head_node_type"], 0) + 1
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"--cluster {file}: no cluster file for ray up: {error!r}") from None
    nodes = [there[name] for name, count in counts.items() for _ in range(count)]
    if not workers.fit_on(nodes):
        raise ConfigError(
            f"{file}: a trial asks for {workers.described()}, the largest kind of node has "
            f"{largest(nodes)}, of {len(nodes)} nodes at most; lower --trial-gpus, --trial-cpus or "
            "--trial-workers, or add a kind of node"
        )
    gpus = sum(node.get("GPU", 0.0) for node in nodes)
    return (
        f"{len(nodes)} nodes at most, {gpus:g} GPUs at a time: a search is ended by "
        "--max-gpu-hours, --max-cost or --time-budget"
    )
