"""CTC's loss and gradient against sums over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from every_path import every_sequence, random_log_probs, sequences
from torch import Tensor

from slr_ray.poses.sentence import num_steps_of
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.sentences.steps import min_steps

SAID = sequences((0, 1), (1, 1), (), (0,))
NUM_STEPS = torch.tensor([5, 4, 5, 1])


def logits_of(seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((4, 5, 3)))


def over_all_paths(logits: Tensor, said: np.ndarray) -> Tensor:
    """-log P in float64, differentiable: the sum over all paths that say `said`."""
    return over_paths(logits.log_softmax(dim=1), said)


def over_paths(log_probs: Tensor, said: np.ndarray) -> Tensor:
    totals = []
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        merged = [one for one, _ in itertools.groupby(path) if one != 0]
        if [one - 1 for one in merged] == said.tolist():
            totals.append(sum(log_probs[step, one] for step, one in enumerate(path)))
    return -torch.logsumexp(torch.stack([torch.as_tensor(one) for one in totals]), dim=0)


@pytest.mark.parametrize("seed", range(3))
class TestAgainstAllPaths:
    def test_loss(self, seed: int) -> None:
        logits = logits_of(seed)
        loss = ctc_loss(logits, NUM_STEPS, SAID)
        assert loss.dtype == torch.float32
        for row, said in enumerate(SAID):
            own = logits[row, : NUM_STEPS[row]].log_softmax(dim=1).numpy()
            expected = -every_sequence(own)[tuple(said.tolist())]
            assert loss[row].item() == pytest.approx(expected, rel=1e-5)

    def test_gradient(self, seed: int) -> None:
        logits = logits_of(seed).requires_grad_()
        ctc_loss(logits, NUM_STEPS, SAID).sum().backward()
        assert logits.grad is not None
        for row, said in enumerate(SAID):
            own = logits.detach()[row, : NUM_STEPS[row]].requires_grad_()
            over_all_paths(own, said).backward()
            torch.testing.assert_close(
                logits.grad[row, : NUM_STEPS[row]], own.grad, rtol=1e-4, atol=1e-6
            )
            assert not logits.grad[row, NUM_STEPS[row] :].any()

    def test_a_prior_weighs_paths(self, seed: int) -> None:
        """The gradient is p - the share of paths that say it, paths weighed by p / frequency^a."""
        logits = logits_of(seed).requires_grad_()
        losses = ctc_loss(logits, NUM_STEPS, SAID, 0.4)
        losses.sum().backward()
        probs = logits.detach().softmax(dim=2)
        frequency = torch.cat([own[:count] for own, count in zip(probs, NUM_STEPS, strict=True)])
        frequency = frequency.mean(dim=0)
        assert logits.grad is not None
        for row, said in enumerate(SAID):
            own = probs[row, : NUM_STEPS[row]]
            weighed = (own / frequency**0.4).log().log_softmax(dim=1).requires_grad_()
            expected = over_paths(weighed, said)
            expected.backward()
            assert weighed.grad is not None
            assert losses[row].item() == pytest.approx(expected.item(), rel=1e-5)
            torch.testing.assert_close(
                logits.grad[row, : NUM_STEPS[row]], own + weighed.grad, rtol=1e-4, atol=1e-6
            )
            assert not logits.grad[row, NUM_STEPS[row] :].any()

    def test_a_prior_of_nothing_is_plain_ctc(self, seed: int) -> None:
        found = []
        for prior in (0.0, 1e-9):
            logits = logits_of(seed).requires_grad_()
            losses = ctc_loss(logits, NUM_STEPS, SAID, prior)
            losses.sum().backward()
            found.append((losses.detach(), logits.grad))
        torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)

    def test_gradient_by_differences(self, seed: int) -> None:
        own = logits_of(seed)[0].requires_grad_()
        assert torch.autograd.gradcheck(lambda one: over_all_paths(one, SAID[0]), (own,))


@pytest.mark.parametrize("prior", [0.0, 0.3])
def test_too_few_steps_give_nothing(prior: float) -> None:
    logits = logits_of(0).requires_grad_()
    loss = ctc_loss(logits, torch.tensor([5, 2, 5, 1]), SAID, prior)
    assert loss[1].item() == 0.0
    loss.sum().backward()
    assert logits.grad is not None
    assert not logits.grad[1].any()
    assert logits.grad[0].any()


def test_low_precision_is_summed_in_float32() -> None:
    logits = logits_of(0).bfloat16()
    expected = ctc_loss(logits.float(), NUM_STEPS, SAID)
    torch.testing.assert_close(ctc_loss(logits, NUM_STEPS, SAID), expected, rtol=0, atol=0)


def test_only_empty_sequences() -> None:
    logits = logits_of(1)
    loss = ctc_loss(logits, torch.full((4,), 5), sequences((), (), (), ()))
    expected = -logits.log_softmax(dim=2)[:, :, 0].sum(dim=1)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)


def test_log_probabilities_are_logits_too() -> None:
    log_probs = torch.from_numpy(random_log_probs(0, 4, 5, 3))
    loss = ctc_loss(log_probs, NUM_STEPS, SAID)
    torch.testing.assert_close(loss, ctc_loss(log_probs + 3.0, NUM_STEPS, SAID))


@pytest.mark.parametrize(
    ("said", "expected"), [((), 0), ((4,), 1), ((1, 2, 1), 3), ((1, 1), 3), ((1, 1, 1, 2), 6)]
)
def test_min_steps(said: tuple[int, ...], expected: int) -> None:
    assert min_steps(np.array(said, np.int64)) == expected


def test_a_step_is_four_frames() -> None:
    assert [num_steps_of(frames) for frames in (1, 4, 5, 8, 9)] == [1, 1, 2, 2, 3]
