"""Rules of step-by-step semi-supervision against plain loops from the papers' formulas."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from slr_ray.config import alternatives
from slr_ray.experiment.consistency_config import ConsistencyConfig
from slr_ray.selection.steps.alignment import Alignment
from slr_ray.selection.steps.daso import DasoConfig, SemanticTargets
from slr_ray.selection.steps.debiaspl import DebiasPLConfig
from slr_ray.selection.steps.fixmatch import FixMatchConfig
from slr_ray.selection.steps.flexmatch import FlexMatchConfig
from slr_ray.selection.steps.freematch import FreeMatchConfig
from slr_ray.selection.steps.prototypes import Prototypes
from slr_ray.selection.steps.slow_mean import SlowMean
from slr_ray.selection.steps.smoothing import unsmoothed
from slr_ray.selection.steps.softmatch import SoftMatchConfig
from slr_ray.selection.steps.step_rule import Represented, StepRule, Targets, WeakViews, hardened

GLOSSES, POOL, WIDTH, STEPS = 4, 30, 5, 6
RULES = [rule() for rule in alternatives(ConsistencyConfig, "rule").values()]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return result


def steps(seed: int = 0, size: int = 8) -> list[WeakViews]:
    """Several steps in sequence, with confident and doubtful clips of an uneven pool."""
    rng = np.random.default_rng(seed)
    found = []
    for step in range(STEPS):
        logits = rng.normal(size=(size, GLOSSES)) * 3 + np.array([1.5, 0.5, 0, -0.5])
        found.append(
            WeakViews(
                torch.from_numpy(softmax(logits).astype(np.float32)),
                torch.from_numpy(rng.permutation(POOL)[:size]),
                step / STEPS,
                Represented(
                    torch.from_numpy(rng.normal(size=(size, WIDTH)).astype(np.float32)),
                    torch.from_numpy(rng.normal(size=(6, WIDTH)).astype(np.float32)),
                    torch.from_numpy(rng.integers(0, GLOSSES - 1, 6)),
                ),
            )
        )
    return found


def built(config: Any) -> StepRule:
    rule: StepRule = config.build(GLOSSES, POOL, WIDTH)
    return rule


def check(found: Targets, p: np.ndarray, weights: list[float]) -> None:
    np.testing.assert_allclose(found.probabilities.numpy(), p, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.weights.numpy(), weights, rtol=1e-4, atol=1e-6)


def moved(value: Any, new: Any, decay: float, step: int, *, bounded: bool) -> Any:
    if bounded:
        decay = min(decay, 1 - 1 / max((1 + step) / 3, 1))
    return decay * value + (1 - decay) * new


@pytest.mark.parametrize("config", RULES, ids=lambda one: one.kind)
class TestEveryRule:
    def test_a_resumed_rule_goes_on_as_if_never_stopped(self, config: Any) -> None:
        whole, first = built(config), built(config)
        expected = [whole.targets(one) for one in steps()]
        for one in steps()[:3]:
            first.targets(one)
        file = io.BytesIO()
        torch.save(first.state_dict(), file)
        file.seek(0)
        second = built(config)
        second.load_state_dict(torch.load(file, weights_only=True))
        for one, target in zip(steps()[3:], expected[3:], strict=True):
            found = second.targets(one)
            assert torch.equal(found.probabilities, target.probabilities)
            assert torch.equal(found.weights, target.weights)

    def test_follows_a_permutation_of_the_clips(self, config: Any) -> None:
        order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
        straight, shuffled = built(config), built(config)
        for one in steps():
            given = one.represented
            assert given is not None
            other = WeakViews(
                one.probabilities[order],
                one.clips[order],
                one.progress,
                Represented(given.weak[order], given.labelled, given.labelled_glosses),
            )
            a, b = straight.targets(one), shuffled.targets(other)
            torch.testing.assert_close(a.probabilities[order], b.probabilities)
            torch.testing.assert_close(a.weights[order], b.weights)

    def test_targets_are_distributions_and_weights_shares(self, config: Any) -> None:
        rule = built(config)
        for one in steps():
            found = rule.targets(one)
            torch.testing.assert_close(found.probabilities.sum(1), torch.ones(8))
            assert ((found.weights >= 0) & (found.weights <= 1)).all()

    def test_a_single_clip_and_certainty_give_numbers(self, config: Any) -> None:
        rule = built(config)
        for one in steps(size=1):
            sure = WeakViews(hardened(one.probabilities), one.clips, one.progress, one.represented)
            found = rule.targets(sure)
            assert found.probabilities.isfinite().all()
            assert found.weights.isfinite().all()
            logits = torch.zeros(1, GLOSSES, requires_grad=True)
            loss = rule.extra_loss(logits, torch.ones(1, WIDTH), found)
            assert loss.isfinite()


def test_fixmatch_is_inclusive() -> None:
    p = torch.tensor([[0.8, 0.2, 0, 0], [0.75, 0.25, 0, 0], [0.74, 0.26, 0, 0]])
    views = WeakViews(p, torch.arange(3), 0.0)
    found = built(FixMatchConfig(confidence=0.75)).targets(views)
    assert found.weights.tolist() == [1, 1, 0]
    assert hardened(found.probabilities)[:, 0].tolist() == [1, 1, 1]


def test_flexmatch_is_its_formula() -> None:
    rule, last = built(FlexMatchConfig(confidence=0.7)), [-1] * POOL
    for views in steps():
        effects = []
        for gloss in range(GLOSSES):
            most = max(sum(one == other for one in last) for other in range(GLOSSES))
            never = sum(one == -1 for one in last)
            effects.append(sum(one == gloss for one in last) / max(most, never))
        p, weights = views.probabilities.numpy(), []
        for row, clip in zip(p, views.clips.tolist(), strict=True):
            gloss = int(row.argmax())
            threshold = 0.7 * effects[gloss] / (2 - effects[gloss])
            weights.append(float(row.max() >= threshold))
            if row.max() >= 0.7:
                last[clip] = gloss
        check(rule.targets(views), p, weights)


@pytest.mark.parametrize("bounded", [True, False])
def test_freematch_is_its_formula(bounded: bool) -> None:
    config = FreeMatchConfig(ema_decay=0.9, bounded_horizon=bounded, fairness=0.5)
    rule = built(config)
    level, mean, frequency = 1 / GLOSSES, np.full(GLOSSES, 0.25), np.full(GLOSSES, 0.25)
    for step, views in enumerate(steps()):
        p = views.probabilities.numpy().astype(np.float64)
        level = moved(level, p.max(1).mean(), 0.9, step, bounded=bounded)
        mean = moved(mean, p.mean(0), 0.9, step, bounded=bounded)
        counts = np.bincount(p.argmax(1), minlength=GLOSSES) / len(p)
        frequency = moved(frequency, counts, 0.9, step, bounded=bounded)
        thresholds = [level * mean[one] / mean.max() for one in range(GLOSSES)]
        weights = [float(row.max() >= thresholds[int(row.argmax())]) for row in p]
        found = rule.targets(views)
        check(found, p, weights)
        strong = np.random.default_rng(step).normal(size=p.shape) * 2
        chosen = softmax(strong)[np.array(weights) > 0]
        own = np.bincount(chosen.argmax(1), minlength=GLOSSES) / len(chosen)
        seen = [one for one in range(GLOSSES) if own[one] > 0 and frequency[one] > 0]
        a = [mean[one] / frequency[one] for one in seen]
        b = [chosen[:, one].mean() / own[one] for one in seen]
        expected = sum(x / sum(a) * np.log(y / sum(b)) for x, y in zip(a, b, strict=True))
        loss = rule.extra_loss(torch.from_numpy(strong.astype(np.float32)), None, found)
        assert float(loss) == pytest.approx(0.5 * expected, rel=1e-4)


@pytest.mark.parametrize("alignment", [True, False])
def test_softmatch_is_its_formula(alignment: bool) -> None:
    config = SoftMatchConfig(ema_decay=0.9, bounded_horizon=False, uniform_alignment=alignment)
    rule, mean, variance, model = built(config), 0.25, 1.0, np.full(GLOSSES, 0.25)
    for step, views in enumerate(steps()):
        p = views.probabilities.numpy().astype(np.float64)
        model = moved(model, p.mean(0), 0.9, step, bounded=False)
        even = p * 0.25 / model
        even /= even.sum(1, keepdims=True)
        top = (even if alignment else p).max(1)
        mean = moved(mean, top.mean(), 0.9, step, bounded=False)
        variance = moved(variance, top.var(ddof=1), 0.9, step, bounded=False)
        weights = [np.exp(-(min(one - mean, 0) ** 2) / (2 * variance / 4)) for one in top]
        check(rule.targets(views), p, weights)


def test_debiaspl_is_its_formula() -> None:
    rule = built(DebiasPLConfig(ema_decay=0.9, bounded_horizon=False, confidence=0.6))
    bias = np.full(GLOSSES, 0.25)
    for step, views in enumerate(steps()):
        p = views.probabilities.numpy().astype(np.float64)
        labels = softmax(np.log(p) - 0.4 * np.log(bias))
        bias = moved(bias, p.mean(0), 0.9, step, bounded=False)
        found = rule.targets(views)
        check(found, labels, [float(one.max() >= 0.6) for one in labels])
        assert found.logit_offset is not None
        np.testing.assert_allclose(found.logit_offset.numpy(), 0.4 * np.log(bias), rtol=1e-4)


def test_debiaspl_turns_the_label_of_a_favoured_gloss() -> None:
    rule = built(DebiasPLConfig(strength=1.0, ema_decay=0.0, bounded_horizon=False))
    favoured = WeakViews(torch.tensor([[0.7, 0.1, 0.1, 0.1]]), torch.tensor([0]), 0.0)
    rule.targets(favoured)
    doubtful = WeakViews(torch.tensor([[0.5, 0.4, 0.05, 0.05]]), torch.tensor([1]), 0.0)
    assert rule.targets(doubtful).probabilities.argmax() == 1


def test_daso_is_its_formula() -> None:
    config = DasoConfig(confidence=0.6, memory_clips=3, frequency_steps=2, plain_fraction=0.0)
    rule = built(config)
    memory: list[list[np.ndarray]] = [[] for _ in range(GLOSSES)]
    frequency, counts = np.zeros(GLOSSES), np.zeros(GLOSSES)
    for step, views in enumerate(steps()):
        given = views.represented
        assert given is not None
        for row, gloss in zip(given.labelled.numpy(), given.labelled_glosses.tolist(), strict=True):
            memory[gloss] = [*memory[gloss], row][-3:]

        def semantic(rows: np.ndarray) -> np.ndarray:
            logits = np.full((len(rows), GLOSSES), -np.inf)
            for gloss, kept in enumerate(memory):
                if kept:
                    centre = np.mean(kept, axis=0)
                    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(centre)
                    logits[:, gloss] = rows @ centre / norms / 0.05
            return softmax(logits)

        p, q = views.probabilities.numpy().astype(np.float64), semantic(given.weak.numpy())
        found, is_plain = rule.targets(views), not frequency.any()
        if not is_plain:
            share = frequency ** (1 / 1.5) / (frequency ** (1 / 1.5)).max()
            v = share[p.argmax(1)][:, None]
            p = (1 - v) * p + v * q
        check(found, p, [float(one.max() >= 0.6) for one in p])
        counts += np.bincount(p.argmax(1), minlength=GLOSSES)
        if step % 2:
            frequency, counts = counts / counts.sum(), np.zeros(GLOSSES)
        assert isinstance(found, SemanticTargets)
        strong = np.random.default_rng(step).normal(size=(8, WIDTH)).astype(np.float32)
        loss = float(rule.extra_loss(torch.zeros(8, GLOSSES), torch.from_numpy(strong), found))
        known = [one for one in range(GLOSSES) if memory[one]]
        expected = -(q[:, known] * np.log(semantic(strong)[:, known])).sum(1).mean()
        assert loss == pytest.approx(0.0 if is_plain else expected, rel=1e-3)


def test_prototypes_keep_the_last_of_each_gloss() -> None:
    kept = Prototypes(2, 2, 1)
    kept.add(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 0, 0]))
    assert kept.means()[:, 0].tolist() == [3.0, 0.0]
    kept.add(torch.tensor([[8.0], [5.0]]), torch.tensor([0, 1]))
    assert kept.means()[:, 0].tolist() == [6.0, 5.0]


class TestUnsmoothed:
    def test_lifts_the_cap(self) -> None:
        """The optimum of smoothing 0.1 over 12 glosses is certainty."""
        capped = torch.full((1, 12), 0.1 / 12)
        capped[0, 3] = 1 - 0.1 + 0.1 / 12
        found = unsmoothed(capped, 0.1)
        torch.testing.assert_close(found, torch.eye(12)[3:4], atol=1e-6, rtol=0)

    def test_is_the_inverse_of_smoothing(self) -> None:
        p = steps()[0].probabilities
        torch.testing.assert_close(unsmoothed(0.8 * p + 0.2 / GLOSSES, 0.2), p)

    def test_never_leaves_the_simplex(self) -> None:
        p = torch.tensor([[0.97, 0.01, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]])
        found = unsmoothed(p, 0.5)
        torch.testing.assert_close(found, torch.tensor([[1.0, 0, 0, 0], [0.25] * 4]))
        assert unsmoothed(p, 0.0) is p


def test_alignment_makes_the_mean_as_wanted() -> None:
    align = Alignment(torch.full((GLOSSES,), 1 / GLOSSES), decay=0.0, bounded=False)
    p = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]])
    found = align(p)
    expected = p / p.mean(0)
    torch.testing.assert_close(found, expected / expected.sum(1, keepdim=True))


def test_a_bounded_mean_forgets_its_start() -> None:
    bounded, plain = (SlowMean(torch.tensor(5.0), 0.999, bounded=one) for one in (True, False))
    for _ in range(20):
        for one in (bounded, plain):
            one.update(torch.tensor(1.0))
    assert float(bounded.value) == 1.0
    assert float(plain.value) > 4.9
