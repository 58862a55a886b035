"""The loss of sentences against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from slr_ray.models.streams.sentence_model import Heads
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.training.sentences.config import SentencesConfig
from slr_ray.training.sentences.loss import divergences, sentence_losses

SEQUENCES = [np.array([0, 1]), np.array([2])]
STEPS = (4, 3)


def heads(seed: int = 0, num_parts: int = 2) -> Heads:
    draw = torch.Generator().manual_seed(seed)
    logits = [torch.randn(2, 4, 4, generator=draw) for _ in range(1 + num_parts)]
    mask = torch.arange(4)[None, :] < torch.tensor(STEPS)[:, None]
    return Heads(logits[0], tuple(logits[1:]), torch.randn(2, 4, 3, generator=draw), mask)


def by_loops(given: Heads) -> list[float]:
    """Sum over heads and steps of sum_c mean_c (log mean_c - log p_c)."""
    every = [one.softmax(dim=2).tolist() for one in (given.fused, *given.parts)]
    totals = []
    for row, num_steps in enumerate(STEPS):
        total = 0.0
        for step in range(num_steps):
            for own in every:
                for column in range(4):
                    mean = sum(other[row][step][column] for other in every) / len(every)
                    total += mean * (math.log(mean) - math.log(own[row][step][column]))
        totals.append(total)
    return totals


def test_divergences_are_those_of_a_loop() -> None:
    assert divergences(heads()).tolist() == pytest.approx(by_loops(heads()), rel=1e-4)


def test_equal_heads_do_not_diverge() -> None:
    own = heads()
    same = Heads(own.fused, (own.fused, own.fused), own.frames, own.mask)
    assert divergences(same).abs().max() < 1e-5


def test_the_mean_of_the_heads_has_no_gradient() -> None:
    """So each head moves towards it: the gradient of a head's logits is p - mean."""
    own = heads(num_parts=1)
    fused: Tensor = own.fused.clone().requires_grad_()
    given = Heads(fused, own.parts, own.frames, own.mask)
    divergences(given).sum().backward()
    one, two = own.fused.softmax(dim=2), own.parts[0].softmax(dim=2)
    expected = (one - (one + two) / 2) * own.mask[..., None]
    assert fused.grad is not None
    torch.testing.assert_close(fused.grad, expected, rtol=1e-4, atol=1e-6)


def test_the_loss_is_its_parts_by_their_weights() -> None:
    own, num_steps = heads(), torch.tensor(STEPS)
    ctc = [ctc_loss(one, num_steps, SEQUENCES) for one in (own.fused, *own.parts)]
    config = SentencesConfig(part_weight=0.5, distillation_weight=2.0)
    expected = ctc[0] + 0.5 * (ctc[1] + ctc[2]) + 2.0 * divergences(own)
    torch.testing.assert_close(sentence_losses(own, SEQUENCES, config), expected)
    bare = SentencesConfig(part_weight=0.0, distillation_weight=0.0)
    torch.testing.assert_close(sentence_losses(own, SEQUENCES, bare), ctc[0])


def test_padding_costs_nothing() -> None:
    own = heads()
    changed = [one.clone() for one in (own.fused, *own.parts)]
    for one in changed:
        one[1, 3] = 50.0
    other = Heads(changed[0], tuple(changed[1:]), own.frames, own.mask)
    config = SentencesConfig()
    torch.testing.assert_close(
        sentence_losses(other, SEQUENCES, config), sentence_losses(own, SEQUENCES, config)
    )
