"""What a run needs of Ray: checked first, then connected."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from slr_ray.errors import ConfigError
from slr_ray.storage import Store
from slr_ray.workers.execution import Workers
from slr_ray.workers.gpus import check_gpus
from slr_ray.workers.session import check_reachable, ray_session
from slr_ray.workers.waiting import largest, resources

if TYPE_CHECKING:
    from slr_ray.workers.run_options import ClusterOptions

CHECK_GPUS_WITHIN_S = 60.0
"""Where others use all GPUs of a cluster, they are checked by each trial for itself."""


def check_resources(options: ClusterOptions, workers: Workers) -> None:
    """`ConfigError` where this machine can never give what a task asks for; no Ray needed.

    A cluster must answer; its nodes are checked once connected, since only it knows them.
    """
    if options.address is not None:
        check_reachable(options.address)
        return
    import torch

    names, count, gpus = workers.names, workers.num_workers, torch.cuda.device_count()
    if count > 1 and gpus and not workers.gpus:
        raise ConfigError(
            f"{names.workers} {count} without GPUs would share the first of this machine's {gpus}: "
            f"give {names.gpus} 1, or train on processors with CUDA_VISIBLE_DEVICES=''"
        )
    for option, each, there, what in (
        (names.gpus, workers.gpus, gpus, "GPUs"),
        (names.cpus, workers.cpus, os.cpu_count() or 1, "processors"),
    ):
        if each * count > there:
            raise ConfigError(
                f"{names.workers} {count} x {option} {each:g} = {each * count:g} {what}: this "
                f"machine has {there}; lower it, or name a cluster with --address"
            )


@contextlib.contextmanager
def connected(
    options: ClusterOptions, workers: Workers, places: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Ray for the body: the cluster at `options.address`, or one of this machine's own.

    `places` are the folders and URIs that workers must reach, by option. Raises `ConfigError` where
    the cluster can't do what is asked.
    """
    # Ray Train leaks its placement groups under early stopping when the dashboard is off; one
    # worker needs no Ray Train and starts faster without it.
    with ray_session(options.address, dashboard=workers.num_workers > 1):
        if options.address is not None:
            _check_cluster(options, workers, places or {})
        yield


def _check_cluster(options: ClusterOptions, workers: Workers, places: Mapping[str, str]) -> None:
    import ray

    nodes = ray.nodes()
    if not options.shared_storage:
        check_places(nodes, places, may_grow=options.wait_for_nodes)
    if not options.wait_for_nodes:
        check_fits(nodes, workers)
    if workers.gpus and workers.fit_on(resources(nodes)):
        check_gpus(workers, CHECK_GPUS_WITHIN_S)


def check_fits(nodes: list[dict[str, Any]], workers: Workers) -> None:
    """`ConfigError` where the nodes that are there can't hold a trial, idle as they may be."""
    there = resources(nodes)
    if not workers.fit_on(there):
        raise ConfigError(
            f"{workers.names.task} asks for {workers.described()}: the cluster's largest node has "
            f"{largest(there)}; lower {workers.names.options}, or pass --wait-for-nodes where an "
            "autoscaler adds larger nodes"
        )


def check_places(nodes: list[dict[str, Any]], places: Mapping[str, str], *, may_grow: bool) -> None:
    """`ConfigError` where a place is a folder of this machine that other machines can't reach."""
    others = {one["NodeManagerHostname"] for one in nodes if one["Alive"]} - {socket.gethostname()}
    if not others and not may_grow:
        return
    whose = ", ".join(sorted(others)[:3]) or "those that an autoscaler adds"
    for option, place in places.items():
        if Store(place).is_local:
            raise ConfigError(
                f"{option} {place}: a folder of this machine, but the cluster has others "
                f"({whose}); give a URI such as s3://bucket/runs, or pass --shared-storage where "
                "all of them have this folder, as on NFS"
            )


def described_cluster() -> str:
    """The nodes that Ray has, in one line."""
    import ray

    there = resources(ray.nodes())
    return f"cluster: {len(there)} nodes, the largest has {largest(there)}"
