"""The loss of sentences against plain loops."""

from __future__ import annotations

import math
from dataclasses import replace

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
    fused, early, *parts = (torch.randn(2, 4, 4, generator=draw) for _ in range(2 + num_parts))
    mask = torch.arange(4)[None, :] < torch.tensor(STEPS)[:, None]
    frames = torch.randn(2, 4, 3, generator=draw)
    return Heads(fused, early, fused, tuple(parts), frames, mask)


def by_loops(logits: list[Tensor]) -> list[float]:
    """Sum over heads and steps of sum_c mean_c (log mean_c - log p_c)."""
    every = [one.softmax(dim=2).tolist() for one in logits]
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
    own = heads()
    logits = [own.fused, own.early, *own.parts]
    assert divergences(logits, own.mask).tolist() == pytest.approx(by_loops(logits), rel=1e-4)


def test_equal_heads_do_not_diverge() -> None:
    own = heads()
    assert divergences([own.fused] * 3, own.mask).abs().max() < 1e-5


def test_the_mean_of_the_heads_has_no_gradient() -> None:
    """So each head moves towards it: the gradient of a head's logits is p - mean."""
    own = heads()
    fused: Tensor = own.fused.clone().requires_grad_()
    divergences([fused, own.early], own.mask).sum().backward()
    one, two = own.fused.softmax(dim=2), own.early.softmax(dim=2)
    expected = (one - (one + two) / 2) * own.mask[..., None]
    assert fused.grad is not None
    torch.testing.assert_close(fused.grad, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("early", [0.0, 0.7])
@pytest.mark.parametrize("part", [0.0, 0.5])
def test_the_loss_is_its_parts_by_their_weights(early: float, part: float) -> None:
    own, num_steps = heads(), torch.tensor(STEPS)
    weights = [(1.0, own.fused), (early, own.early), *((part, one) for one in own.parts)]
    expected = sum(weight * ctc_loss(one, num_steps, SEQUENCES) for weight, one in weights)
    bare = SentencesConfig(early_weight=early, part_weight=part, distillation_weight=0.0)
    torch.testing.assert_close(sentence_losses(own, SEQUENCES, bare, 1.0), expected)
    # What is not trained does not draw the others to itself.
    counted = [one for weight, one in weights if weight]
    expected = expected + 2.0 * divergences(counted, own.mask)
    drawn = bare.model_copy(update={"distillation_weight": 2.0})
    torch.testing.assert_close(sentence_losses(own, SEQUENCES, drawn, 1.0), expected)


def test_the_prior_fades() -> None:
    own, num_steps = heads(), torch.tensor(STEPS)
    config = SentencesConfig(label_prior=0.8, early_weight=0.0, distillation_weight=0.0)
    for share_done, prior in ((0.0, 0.8), (0.75, 0.2), (1.0, 0.0)):
        expected = ctc_loss(own.fused, num_steps, SEQUENCES, prior)
        found = sentence_losses(own, SEQUENCES, config, share_done)
        torch.testing.assert_close(found, expected)


def test_padding_costs_nothing() -> None:
    own = heads()
    changed = [one.clone() for one in (own.fused, own.early, *own.parts)]
    for one in changed:
        one[1, 3] = 50.0
    other = replace(own, fused=changed[0], early=changed[1], parts=tuple(changed[2:]))
    config = SentencesConfig(part_weight=1.0)
    torch.testing.assert_close(
        sentence_losses(other, SEQUENCES, config, 0.5), sentence_losses(own, SEQUENCES, config, 0.5)
    )
