"""Hard, soft and negative labels of a batch, and their loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.training.labels.loss_weights import clip_weights
from slr_ray.training.labels.sampling import TrainingSet, extended, true_labels
from slr_ray.training.labels.targets import batch_targets, target_losses

GLOSSES = 4
SOFT = np.array([[0.5, 0.25, 0.25, 0.0]], np.float32)
NOT = np.array([[-0.5, 0.0, -0.5, 0.0]], np.float32)


def a_set(*targets: np.ndarray) -> TrainingSet:
    """Three true labels, then clips with these targets; of negative ones no gloss is known."""
    labelled = true_labels(np.arange(3), np.array([2, 0, 1]))
    rows = np.concatenate([np.empty((0, GLOSSES), np.float32), *targets])
    glosses = np.where((rows < 0).any(axis=1), UNLABELLED, rows.argmax(axis=1))
    weights = np.ones(len(rows), np.float32)
    clips = np.arange(10, 10 + len(rows))
    return extended(labelled, clips, glosses, weights, rows if len(targets) else None)


def logits(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, GLOSSES, generator=torch.Generator().manual_seed(seed)) * 2


def plain_loss(row: list[float], columns: list[float], smoothing: float) -> float:
    total = sum(math.exp(one) for one in row)
    p = [math.exp(one) / total for one in row]
    positive, negative = columns[:GLOSSES], columns[GLOSSES:]
    loss = 0.0
    for gloss in range(GLOSSES):
        share = positive[gloss] * (1 - smoothing) + smoothing * sum(positive) / GLOSSES
        loss -= share * math.log(p[gloss])
        if negative:
            loss -= negative[gloss] * math.log(1 - p[gloss])
    return loss


def test_hard_labels_are_trained_as_ever() -> None:
    found = batch_targets(a_set(), np.array([2, 0]), GLOSSES)
    assert found.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    expected = functional.cross_entropy(
        logits(2), torch.tensor([1, 2]), reduction="none", label_smoothing=0.1
    )
    torch.testing.assert_close(target_losses(logits(2), found, 0.1), expected)


def test_soft_labels_are_trained_to_their_distribution() -> None:
    found = batch_targets(a_set(SOFT), np.array([3, 1]), GLOSSES)
    assert found.tolist() == [SOFT[0].tolist(), [1, 0, 0, 0]]


def test_negative_labels_stand_in_columns_of_their_own() -> None:
    found = batch_targets(a_set(SOFT, NOT), np.array([0, 4, 3]), GLOSSES)
    assert found.tolist() == [
        [0, 0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0.5, 0, 0.5, 0],
        [*SOFT[0].tolist(), 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("targets", [(SOFT,), (NOT,), (SOFT, NOT)], ids=["soft", "not", "both"])
def test_losses_against_a_plain_loop(targets: tuple[np.ndarray, ...], smoothing: float) -> None:
    rows = np.arange(3 + len(targets))
    columns = batch_targets(a_set(*targets), rows, GLOSSES)
    found = target_losses(logits(len(rows)), columns, smoothing)
    expected = [
        plain_loss(row, own, smoothing)
        for row, own in zip(logits(len(rows)).tolist(), columns.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)


def test_mixed_clips_have_a_mixed_loss() -> None:
    columns = batch_targets(a_set(SOFT, NOT), np.arange(5), GLOSSES)
    both = 0.3 * columns + 0.7 * columns.flip(0)
    alone, other = (target_losses(logits(5), one, 0.1) for one in (columns, columns.flip(0)))
    found = target_losses(logits(5), both, 0.1)
    torch.testing.assert_close(found, 0.3 * alone + 0.7 * other)


def test_what_a_clip_is_not_becomes_less_likely() -> None:
    columns = batch_targets(a_set(NOT), np.array([3]), GLOSSES)
    given = logits(1).requires_grad_()
    target_losses(given, columns, 0.1).sum().backward()
    assert given.grad is not None
    after = (given - 0.1 * given.grad).softmax(dim=1)[0]
    before = given.softmax(dim=1)[0]
    assert after[0] + after[2] < before[0] + before[2]
    # Certainty of a gloss that the clip is not has a finite loss.
    sure = torch.tensor([[60.0, 0, 0, 0]], requires_grad=True)
    target_losses(sure, columns, 0.1).sum().backward()
    assert sure.grad is not None
    assert torch.isfinite(sure.grad).all()


def test_a_clip_of_no_gloss_is_as_rare_as_the_others_are() -> None:
    weights = clip_weights(a_set(SOFT, NOT), GLOSSES, by_gloss=True, true_share=None)
    # Two labels of the first gloss, one of the second and third.
    rarity = np.array([1, 2**-0.5, 1, 2**-0.5])
    expected = np.array([*rarity, rarity.mean()])
    np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-6)
