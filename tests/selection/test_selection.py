"""Selection rules: one suite over all, and what each is for."""

from __future__ import annotations

import numpy as np
import pytest

from slr_ray.config import alternatives
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.share_per_gloss import SharePerGloss
from slr_ray.selection.threshold import Threshold
from slr_ray.selection.top_confidence import TopConfidence
from slr_ray.selection.top_per_gloss import TopPerGloss

RULES = [
    Threshold(confidence=0.6),
    TopConfidence(num_clips=7),
    TopConfidence(num_clips=50, confidence=0.5),
    TopPerGloss(num_clips=2),
    TopPerGloss(num_clips=3, confidence=0.5),
    SharePerGloss(share=0.3),
]
# A new rule is covered as it comes.
RULES += [
    rule()
    for rule in alternatives(SslrConfig, "selection").values()
    if rule not in {type(one) for one in RULES}
]


def candidates(seed: int, *, growth: float = 1.0, num_clips: int = 60) -> Candidates:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(num_clips, 5)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Candidates(probabilities.astype(np.float32), rng.random(num_clips) < 0.7, 1, growth)


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("seed", range(5))
class TestEveryRule:
    def test_returns_allowed_rows_once_in_order(self, rule: Threshold, seed: int) -> None:
        given = candidates(seed)
        rows = rule.select(given)
        assert len(rows)
        assert (np.diff(rows) > 0).all()
        assert given.allowed[rows].all()

    def test_prefers_confidence_within_a_gloss(self, rule: Threshold, seed: int) -> None:
        given = candidates(seed)
        rows = rule.select(given)
        for gloss in range(5):
            own = given.allowed & (given.gloss == gloss)
            chosen = own & np.isin(np.arange(len(own)), rows)
            left = own & ~chosen
            if chosen.any() and left.any():
                assert given.confidence[chosen].min() >= given.confidence[left].max()

    def test_empty_pool(self, rule: Threshold, seed: int) -> None:
        given = candidates(seed)
        nothing = Candidates(given.probabilities, np.zeros(60, bool), 1, 1.0)
        assert len(rule.select(nothing)) == 0

    def test_follows_a_permutation_of_the_clips(self, rule: Threshold, seed: int) -> None:
        given = candidates(seed)
        order = np.random.default_rng(seed + 100).permutation(60)
        moved = Candidates(given.probabilities[order], given.allowed[order], 1, 1.0)
        assert set(order[rule.select(moved)]) == set(rule.select(given))


def test_threshold_is_inclusive() -> None:
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [0.26, 0.74]], np.float32)
    given = Candidates(probabilities, np.ones(3, bool), 1, 1.0)
    assert Threshold(confidence=0.75).select(given).tolist() == [0]


def test_top_confidence_takes_exactly_n_times_growth() -> None:
    assert len(TopConfidence(num_clips=7).select(candidates(0))) == 7
    assert len(TopConfidence(num_clips=7).select(candidates(0, growth=3.0))) == 21


def test_top_per_gloss_takes_k_of_each_predicted_gloss() -> None:
    given = candidates(1, num_clips=400)
    rows = TopPerGloss(num_clips=4).select(given)
    assert np.bincount(given.gloss[rows], minlength=5).tolist() == [4] * 5


def test_top_per_gloss_hand_value() -> None:
    probabilities = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.45, 0.55]], np.float32
    )
    given = Candidates(probabilities, np.array([True, True, True, True, True]), 1, 1.0)
    assert TopPerGloss(num_clips=2).select(given).tolist() == [0, 1, 3, 4]
    assert TopPerGloss(num_clips=2, confidence=0.6).select(given).tolist() == [0, 1, 3]


class TestSharePerGloss:
    def test_takes_the_share_of_each_predicted_gloss(self) -> None:
        given = candidates(3, num_clips=200)
        everything = Candidates(given.probabilities, np.ones(200, bool), 1, 1.0)
        chosen = SharePerGloss(share=0.25).select(everything)
        predicted = np.bincount(everything.gloss, minlength=5)
        found = np.bincount(everything.gloss[chosen], minlength=5)
        np.testing.assert_array_equal(found, np.ceil(0.25 * predicted))

    def test_grows_up_to_the_largest_share(self) -> None:
        given = candidates(3, growth=4.0, num_clips=200)
        everything = Candidates(given.probabilities, np.ones(200, bool), 4, 4.0)
        chosen = SharePerGloss(share=0.25, largest_share=0.5).select(everything)
        predicted = np.bincount(everything.gloss, minlength=5)
        found = np.bincount(everything.gloss[chosen], minlength=5)
        np.testing.assert_array_equal(found, np.ceil(0.5 * predicted))
