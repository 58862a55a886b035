"""The loss of dense labels against a plain loop."""

from __future__ import annotations

import math

import pytest
import torch

from slr_ray.sentences.dense_loss import dense_loss


def test_against_a_loop() -> None:
    logits = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    glosses = torch.tensor([[-1, 0, 0, 3, -1, -1], [2, 2, 1, 1, 1, -1], [-1] * 6])
    weights = torch.rand(3, 6, generator=torch.Generator().manual_seed(1)) * (glosses >= 0)
    losses = []
    for row in range(3):
        for step in range(6):
            gloss = int(glosses[row, step])
            if gloss >= 0:
                odds = [math.exp(one) for one in logits[row, step].tolist()]
                losses.append(-weights[row, step].item() * math.log(odds[gloss] / sum(odds)))
    found = dense_loss(logits, glosses, weights)
    assert found.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_without_a_label() -> None:
    logits = torch.randn(1, 2, 4).requires_grad_()
    loss = dense_loss(logits, torch.full((1, 2), -1), torch.zeros(1, 2))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_low_precision_counts_in_float32() -> None:
    logits = torch.randn(1, 2, 4).bfloat16()
    labels = torch.tensor([[1, 2]]), torch.ones(1, 2)
    assert dense_loss(logits, *labels) == dense_loss(logits.float(), *labels)
