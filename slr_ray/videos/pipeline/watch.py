"""Who works on which clip, and how often each was begun: one small actor beside the driver."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AtWork:
    """A worker and its clip."""

    node: str
    pid: int
    clip_id: str


class Watch:
    """Counts beginnings, as a worker that a clip kills can't tell anyone about it.

    It holds one entry a clip at work, and the nodes on which a clip that did not end was begun.
    `living_nodes` gives the ids of the cluster's nodes that are up.
    """

    def __init__(self, living_nodes: Callable[[], set[str]]) -> None:
        self._living_nodes = living_nodes
        self._at_work: dict[str, AtWork] = {}
        self._begun_on: dict[str, list[str]] = {}
        self._nodes: dict[str, int] = {}
        self._first_begun: float | None = None

    def begin(self, clip_id: str, node: str, pid: int) -> int:
        """A worker takes a clip; returns how often that happened to the clip in this run.

        Not counted is work on nodes that are gone by now: the clip has no part in that. A node's
        loss may become known only after the clip was begun elsewhere; later beginnings then know.
        """
        self._first_begun = self._first_begun or time.time()
        # A worker has one clip: an entry it left before was of a clip that it did not end.
        for other, one in list(self._at_work.items()):
            if (one.node, one.pid) == (node, pid):
                del self._at_work[other]
        earlier = self._begun_on.setdefault(clip_id, [])
        living = self._living_nodes() if earlier else set()
        attempt = 1 + sum(one in living for one in earlier)
        earlier.append(node)
        self._at_work[clip_id] = AtWork(node, pid, clip_id)
        self._nodes[node] = self._nodes.get(node, 0) + 1
        return attempt

    def end(self, clip_id: str) -> None:
        """The clip was extracted or failed; its worker lives."""
        self._at_work.pop(clip_id, None)
        self._begun_on.pop(clip_id, None)

    def at_work(self) -> list[AtWork]:
        return list(self._at_work.values())

    def first_begun(self) -> float | None:
        """When the first worker took its first clip, by this machine's clock (`time.time`)."""
        return self._first_begun

    def clips_by_node(self) -> dict[str, int]:
        """Clips that each node has begun."""
        return dict(self._nodes)


def start_watch(name: str) -> Any:
    """The actor, on the driver's own node: it lives as long as the driver does."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Watch).options(num_cpus=0, scheduling_strategy=here, name=name)
    return actor.remote(_living_nodes)


def _living_nodes() -> set[str]:
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}
