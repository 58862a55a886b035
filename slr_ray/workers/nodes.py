"""What a run needs of Ray: checked first, then connected."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from slr_ray.errors import ConfigError
from slr_ray.workers.execution import Workers
from slr_ray.workers.session import ray_session

if TYPE_CHECKING:
    from slr_ray.workers.run_options import RunOptions


def check_resources(options: RunOptions) -> None:
    """`ConfigError` where this machine can never give what a trial asks for; no Ray needed.

    A cluster's nodes are checked once connected, since only it knows them.
    """
    if options.address is not None:
        return
    import torch

    gpus = torch.cuda.device_count()
    if options.trial_gpus > gpus:
        raise ConfigError(
            f"--trial-gpus {options.trial_gpus:g}: this machine has {gpus}; "
            "lower it, or name a cluster with --address"
        )
    cpus = os.cpu_count() or 1
    wanted = options.trial_cpus * options.trial_workers
    if wanted > cpus:
        raise ConfigError(
            f"--trial-workers {options.trial_workers} x --trial-cpus {options.trial_cpus:g} = "
            f"{wanted:g} processors: this machine has {cpus}; lower it, or name a cluster with "
            "--address"
        )


@contextlib.contextmanager
def connected(options: RunOptions, workers: Workers) -> Iterator[None]:
    """Ray for the body: the cluster at `options.address`, or one of this machine's own."""
    # Ray Train leaks its placement groups under early stopping when the dashboard is off; one
    # worker needs no Ray Train and starts faster without it.
    with ray_session(options.address, dashboard=workers.num_workers > 1):
        if not options.wait_for_nodes:
            _check_nodes(workers)
        yield


def _check_nodes(workers: Workers) -> None:
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    for name, wanted, option in (
        ("GPU", workers.gpus, "--trial-gpus"),
        ("CPU", workers.cpus, "--trial-cpus"),
    ):
        most = max((node.get(name, 0.0) for node in alive), default=0.0)
        if wanted > most:
            raise ConfigError(
                f"{option} {wanted:g}: the cluster's largest node has {most:g}; lower it, or "
                "pass --wait-for-nodes where an autoscaler adds larger nodes"
            )
