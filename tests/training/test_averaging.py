"""Averaged weights are those that torch's own class gives."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from slr_ray.training.optimisation import AveragedWeights, averaging_step

DECAY = 0.9


def small_model() -> nn.Module:
    torch.manual_seed(0)
    # Running statistics in two types: numbers, and a count of batches.
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def trained(model: nn.Module, step: int) -> None:
    model(torch.randn(5, 3, generator=torch.Generator().manual_seed(step))).sum().backward()
    with torch.no_grad():
        for one in model.parameters():
            one.add_(one.grad if one.grad is not None else 0.0, alpha=0.1)


def same(one: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=1e-6, atol=1e-6)


def test_they_follow_as_torchs_do() -> None:
    model = small_model()
    ours = AveragedWeights(model, DECAY)
    theirs = AveragedModel(
        model,
        avg_fn=lambda slow, fast, count: slow.lerp(fast, averaging_step(DECAY, int(count))),
    )
    for step in range(40):
        trained(model, step)
        ours.update()
        theirs.update_parameters(model)
        same(ours, theirs)
    assert averaging_step(DECAY, 39) < averaging_step(DECAY, 3) < averaging_step(DECAY, 0) == 1
    assert int(ours.module.get_buffer("1.num_batches_tracked")) == 40
    assert not torch.equal(*(one.get_parameter("0.weight") for one in (ours.module, model)))


def test_they_go_on_from_a_checkpoint() -> None:
    model = small_model()
    first = AveragedWeights(model, DECAY)
    for step in range(5):
        trained(model, step)
        first.update()
    again = AveragedWeights(model, DECAY)
    again.load_state_dict(first.state_dict())
    trained(model, 5)
    first.update()
    again.update()
    same(first, again)
