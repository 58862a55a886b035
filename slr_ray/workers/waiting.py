"""Looking after a cluster while work goes on: lost nodes, and whether any is large enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from slr_ray.durations import duration
from slr_ray.errors import ClusterError
from slr_ray.workers.execution import Workers

_LOOK_EVERY_S = 2.0
_TELL_AFTER_S = 5.0
_NEVER_AFTER_S = 10.0
"""An autoscaler that says for so long that it can't meet a request will not."""
_TAKEN_AWAY = (2, 3)
"""Ray's reasons of a node's end: lost, or preempted; not those that idled or were stopped."""


class NodeWatch:
    """What a driver must know of nodes; call `problem` every second or so."""

    def __init__(self, workers: Workers, tell: Callable[[str, str], None], *, grows: bool) -> None:
        """`tell` hears of a kind of event of the log and a line for people."""
        self._workers, self._tell, self._grows = workers, tell, grows
        self._alive: set[str] = set()
        self._looked = 0.0
        self._lacking_since: float | None = None
        self._never_since: float | None = None
        self._is_told = False

    def problem(self) -> ClusterError | None:
        """Why it is pointless to wait on, if it is."""
        import ray

        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return None
        self._looked = now
        nodes = ray.nodes()
        self._tell_losses(nodes)
        there = resources(nodes)
        if self._workers.fit_on(there):
            self._lacking_since = self._never_since = None
            self._is_told = False
            return None
        return self._lacking(now, largest(there))

    def look(self) -> None:
        """Raise what `problem` finds."""
        problem = self.problem()
        if problem is not None:
            raise problem

    def may_grow(self) -> bool:
        """Whether an autoscaler may add nodes: the user says so, or it made some that are there."""
        import ray

        return self._grows or any(
            "ray.io/node-group" in (one.get("Labels") or {}) for one in ray.nodes()
        )

    def _lacking(self, now: float, there: str) -> ClusterError | None:
        names = self._workers.names
        asked = f"{names.task} asks for {self._workers.described()}"
        wanted = f"{asked}, the largest node has {there}"
        self._lacking_since = since = self._lacking_since or now
        self._never_since = (self._never_since or now) if _is_infeasible(self._workers) else None
        if self._never_since is not None and now - self._never_since >= _NEVER_AFTER_S:
            return ClusterError(
                f"{wanted}, and the autoscaler has no type of node for it: lower {names.options}, "
                "or add such a type"
            )
        if now - since >= self._workers.wait_at_most_s:
            return ClusterError(
                f"waited {duration(now - since)} for nodes: {wanted} (--wait-at-most; `ray status` "
                "tells what the autoscaler does)"
            )
        if now - since >= _TELL_AFTER_S and not self._is_told:
            self._is_told = True
            at_most = duration(self._workers.wait_at_most_s)
            self._tell("nodes_awaited", f"waiting for nodes, at most {at_most}: {wanted}")
        return None

    def _tell_losses(self, nodes: list[dict[str, Any]]) -> None:
        for one in nodes:
            if one["NodeID"] in self._alive and one.get("DeathReason") in _TAKEN_AWAY:
                reason = str(one.get("DeathReasonMessage") or "no reason given")
                name = one["NodeManagerAddress"]
                self._tell("node_lost", f"node {name} was lost: {reason.splitlines()[0]}")
        self._alive = {one["NodeID"] for one in nodes if one["Alive"]}


def resources(nodes: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Of the nodes that are there."""
    return [one["Resources"] for one in nodes if one["Alive"]]


def largest(there: list[dict[str, float]]) -> str:
    """The most that one node has of each, in words."""
    most = {
        name: max((one.get(name, 0.0) for one in there), default=0.0) for name in ("CPU", "GPU")
    }
    return " and ".join(f"{amount:g} {name}" for name, amount in most.items())


def _is_infeasible(workers: Workers) -> bool:
    """Whether the autoscaler (v2) counts what a worker asks for among what no node could give.

    Ray has no public call for it; older autoscalers say nothing.
    """
    import ray
    from ray._private.worker import global_worker
    from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply

    client = global_worker.gcs_client
    try:
        reply = GetClusterStatusReply.FromString(client.get_cluster_status(timeout_s=5))
    except ray.exceptions.RpcError:
        return False
    state = reply.autoscaling_state
    refused = list(state.infeasible_resource_requests)
    refused += [one for group in state.infeasible_gang_resource_requests for one in group.requests]
    # What Ray Train asks for ahead of its workers: of all of them or none.
    for constraint in state.infeasible_cluster_resource_constraints:
        refused += [one.request for one in constraint.resource_requests]
    wanted = workers.worker_resources()
    return any(dict(one.resources_bundle) == wanted for one in refused)
