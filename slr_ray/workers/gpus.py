"""Whether torch can use the GPUs that Ray hands out: one that is reserved is used or refused."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import torch

from slr_ray.workers.losses import UnusableNode, cause_of

if TYPE_CHECKING:
    from slr_ray.workers.execution import Workers


def check_gpu(gpus: float, option: str = "--trial-gpus") -> None:
    """`UnusableNode` where `gpus` of them are reserved and torch sees none in this process."""
    if not gpus or torch.cuda.is_available():
        return
    why = "has no CUDA" if torch.version.cuda is None else "finds no GPU"
    raise UnusableNode(
        f"GPUs reserved: {gpus:g}, but torch {torch.__version__} on {socket.gethostname()} {why}, "
        "and would train on the processor: install a CUDA build of torch there (nvidia-smi must "
        f"work, too), or leave out {option}"
    )


def check_gpus(workers: Workers, within_s: float) -> bool:
    """Check in a process for each worker, on the nodes where they will be.

    Whether the cluster gave them within the time. Done before Ray Train starts, which on such a
    node fails in NCCL and keeps the nodes. Raises `UnusableNode`.
    """
    import ray
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    group = placement_group([workers.worker_resources()] * workers.fewest)
    try:
        if not group.wait(within_s):
            return False
        checks = [
            ray.remote(check_gpu)
            .options(
                num_cpus=workers.cpus,
                num_gpus=workers.gpus,
                max_retries=0,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, index),
            )
            .remote(workers.gpus, workers.names.gpus)
            for index in range(workers.fewest)
        ]
        ray.get(checks)
    except ray.exceptions.RayTaskError as error:
        raise cause_of(error) from None
    finally:
        remove_placement_group(group)
    return True
