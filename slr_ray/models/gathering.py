"""Tensors of all workers, with gradients: losses and batch norm over the global batch."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.nn import functional


def num_workers() -> int:
    """Workers that torch.distributed knows; 1 without it."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def own_rank() -> int:
    return distributed.get_rank() if num_workers() > 1 else 0


def gathered(own: Float[Tensor, "rows *axes"]) -> Float[Tensor, "all *axes"]:
    """The rows of all workers, in the order of their ranks; every worker must bring as many.

    Gradients flow back to each worker's own rows, summed over the workers' losses: with
    DistributedDataParallel's mean over workers that is the gradient of their mean loss.
    """
    if num_workers() == 1:
        return own
    rows: Tensor = _Gather.apply(own)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return rows


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        ctx.num_rows = len(own)
        parts = [torch.empty_like(own) for _ in range(num_workers())]
        distributed.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        start = own_rank() * ctx.num_rows
        return total[start : start + ctx.num_rows]


class GlobalBatchNorm(nn.BatchNorm1d):
    """Batch norm whose statistics are those of the global batch.

    `nn.SyncBatchNorm` works on GPUs only; heads are small, so the rows themselves are gathered and
    one code path serves every backend. With one worker it is `nn.BatchNorm1d`.
    """

    def forward(self, input: Float[Tensor, "rows width"]) -> Float[Tensor, "rows width"]:
        if not self.training or num_workers() == 1:
            return super().forward(input)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        normed = functional.batch_norm(
            gathered(input),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=True,
            momentum=self.momentum or 0.0,
            eps=self.eps,
        )
        start = own_rank() * len(input)
        return normed[start : start + len(input)]
