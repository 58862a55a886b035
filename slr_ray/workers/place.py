"""Where training runs: the device, and this process's place among the workers."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Place:
    """One worker. With `world_size` > 1 torch.distributed must be initialised."""

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this worker writes what all of them computed."""
        return self.rank == 0

    def replicated(self, model: nn.Module) -> nn.Module:
        """`model` with gradients averaged over the workers."""
        if self.world_size == 1:
            return model
        ids = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=ids)

    def agreed(self, value: bool) -> bool:
        """The leading worker's value, on every worker."""
        if self.world_size == 1:
            return value
        shared = [value]
        distributed.broadcast_object_list(shared, src=0, device=self.device)
        return shared[0]

    def wait_for_all(self) -> None:
        if self.world_size > 1:
            distributed.barrier()


@contextlib.contextmanager
def process_group(init_method: str, *, rank: int, world_size: int) -> Iterator[None]:
    """torch.distributed's group, gone with all its threads at the end.

    DistributedDataParallel imports torch._dynamo. Imported while a group exists, it keeps that
    group, and gloo's threads with it, until the interpreter ends, where a thread that still wants
    the interpreter aborts the process ("terminate called without an active exception").
    """
    importlib.import_module("torch._dynamo")
    distributed.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo",
        init_method,
        rank=rank,
        world_size=world_size,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def this_place() -> Place:
    """The GPU if there is one, and the rank that torch.distributed knows."""
    device = (
        torch.device("cuda", torch.cuda.current_device())
        if torch.cuda.is_available()
        else (torch.device("cpu"))
    )
    if distributed.is_available() and distributed.is_initialized():
        return Place(device, distributed.get_rank(), distributed.get_world_size())
    return Place(device)
