"""Our dropout against what dropout must be."""

from __future__ import annotations

import pytest
import torch

from slr_ray.models.dropout import Dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_drops_the_share_and_keeps_the_mean(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dropped = Dropout(p).train()(torch.ones(1001, 333, dtype=dtype))
    share = float((dropped == 0).float().mean())
    # 333,333 draws: four standard deviations.
    assert abs(share - p) < 4 * (p * (1 - p) / dropped.numel()) ** 0.5
    kept = dropped[dropped != 0].float()
    assert kept.unique().numel() == 1
    assert float(kept[0]) == pytest.approx(1 / (1 - p), rel=4e-3)


def test_draws_of_neighbours_are_independent() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5).train()(torch.ones(400_000)) != 0).float()
    for lag in (1, 2, 3, 4, 5):
        both = float((kept[lag:] * kept[:-lag]).mean())
        assert abs(both - 0.25) < 0.004


def test_gradient_passes_where_kept() -> None:
    inputs = torch.ones(7, 5, requires_grad=True)
    torch.manual_seed(1)
    dropped = Dropout(0.3).train()(inputs)
    dropped.sum().backward()
    torch.testing.assert_close(inputs.grad, dropped.detach())


def test_the_seed_decides_and_evaluation_keeps_all() -> None:
    module, inputs = Dropout(0.3).train(), torch.randn(50)
    draws = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        draws.append(module(inputs))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(module.eval()(inputs), inputs)
