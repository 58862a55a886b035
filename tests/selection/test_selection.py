"""Selection rules: one suite over all, then each against its formula or by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pool_factory import LABELLED, alike, pool, taken
from pydantic import ValidationError

from slr_ray.config import alternatives
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.select.adaptive import Adaptive
from slr_ray.selection.select.class_rebalanced import ClassRebalanced, keep_shares
from slr_ray.selection.select.curriculum import Curriculum
from slr_ray.selection.select.ends_cut_agree import EndsCutAgree
from slr_ray.selection.select.quantile import Quantile
from slr_ray.selection.select.rule import Rule
from slr_ray.selection.select.share_per_gloss import SharePerGloss
from slr_ray.selection.select.threshold import Threshold
from slr_ray.selection.select.top_confidence import TopConfidence
from slr_ray.selection.select.top_per_gloss import TopPerGloss
from slr_ray.selection.select.uncertainty import Uncertainty
from slr_ray.selection.select.views_agree import ViewsAgree

RULES: list[Rule] = [
    Threshold(confidence=0.6),
    TopConfidence(num_clips=7),
    TopConfidence(num_clips=50, confidence=0.5),
    TopPerGloss(num_clips=2),
    TopPerGloss(num_clips=3, confidence=0.5),
    SharePerGloss(share=0.3),
    Adaptive(confidence=0.8),
    ClassRebalanced(share=0.5),
    Uncertainty(confidence=0.5),
]
# A new rule is covered as it comes.
RULES += [
    rule()
    for rule in alternatives(SslrConfig, "selection").values()
    if rule not in {type(one) for one in RULES}
]

STRICTER: dict[type[Rule], tuple[str, list[float]]] = {
    Threshold: ("confidence", [0.3, 0.6, 0.9]),
    Quantile: ("share", [1.0, 0.4, 0.1]),
    Curriculum: ("step", [1.0, 0.4, 0.1]),
    TopConfidence: ("num_clips", [20, 5, 1]),
    TopPerGloss: ("num_clips", [9, 3, 1]),
    SharePerGloss: ("share", [0.5, 0.2, 0.1]),
    Adaptive: ("lowest", [0.0, 0.5, 0.9]),
    ClassRebalanced: ("share", [1.0, 0.4, 0.1]),
    Uncertainty: ("deviation", [0.1, 0.05, 0.01]),
    ViewsAgree: ("confidence", [0.3, 0.6, 0.9]),
    EndsCutAgree: ("confidence", [0.3, 0.6, 0.9]),
}
"""Of every rule a field and its values, from the loosest to the strictest."""


def everything(seed: int = 0, **changes: Any) -> Candidates:
    given = pool(seed, **changes)
    return replace(given, allowed=np.ones_like(given.allowed))


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("seed", range(5))
class TestEveryRule:
    def test_returns_allowed_rows_once_in_order(self, rule: Rule, seed: int) -> None:
        given = pool(seed)
        before = given.probabilities.copy()
        rows = rule.select(given)
        assert len(rows)
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
        assert given.allowed[rows].all()
        np.testing.assert_array_equal(given.probabilities, before)

    def test_prefers_confidence_within_a_gloss(self, rule: Rule, seed: int) -> None:
        given = pool(seed)
        # What these look at besides confidence is the same for every clip here.
        evidence = replace(
            given.evidence,
            deviation=np.zeros(60, np.float32),
            view_glosses=given.gloss[:, None],
            ends_cut_glosses=given.gloss,
        )
        given = replace(given, evidence=evidence)
        rows = rule.select(given)
        for gloss in range(5):
            own = given.allowed & (given.gloss == gloss)
            chosen = own & np.isin(np.arange(len(own)), rows)
            left = own & ~chosen
            if chosen.any() and left.any():
                assert given.confidence[chosen].min() >= given.confidence[left].max()

    def test_nothing_allowed(self, rule: Rule, seed: int) -> None:
        assert len(rule.select(replace(pool(seed), allowed=np.zeros(60, bool)))) == 0

    def test_follows_a_permutation_of_the_clips(self, rule: Rule, seed: int) -> None:
        given = pool(seed)
        order = np.random.default_rng(seed + 100).permutation(60)
        moved = taken(given, order)
        assert set(order[rule.select(moved)]) == set(rule.select(given))

    def test_stricter_is_a_part_of_looser(self, rule: Rule, seed: int) -> None:
        given = pool(seed)
        field, values = STRICTER[type(rule)]
        chosen = [
            set(rule.model_copy(update={field: value}).select(given).tolist()) for value in values
        ]
        assert chosen[0] >= chosen[1] >= chosen[2]
        assert len(chosen[0]) > len(chosen[2])


@pytest.mark.parametrize("rule", RULES, ids=repr)
class TestEveryRuleAtTheEdge:
    def test_empty_pool(self, rule: Rule) -> None:
        assert rule.select(taken(pool(0), np.empty(0, int))).tolist() == []

    def test_one_gloss_only(self, rule: Rule) -> None:
        given = pool(0, num_glosses=1)
        rows = rule.select(given)
        assert given.allowed[rows].all()
        assert len(np.unique(rows)) == len(rows)

    def test_ties(self, rule: Rule) -> None:
        rows = rule.select(alike(pool(0)))
        assert len(np.unique(rows)) == len(rows)

    def test_every_growth(self, rule: Rule) -> None:
        given = pool(0)
        counts = [len(rule.select(replace(given, growth=growth))) for growth in (1.0, 2.0, 1e4)]
        assert counts == sorted(counts)


def test_threshold_is_inclusive() -> None:
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [0.26, 0.74]], np.float32)
    given = Candidates(probabilities, np.ones(3, bool), 1, 1.0)
    assert Threshold(confidence=0.75).select(given).tolist() == [0]


def test_top_confidence_takes_exactly_n_times_growth() -> None:
    assert len(TopConfidence(num_clips=7).select(pool(0))) == 7
    assert len(TopConfidence(num_clips=7).select(pool(0, growth=3.0))) == 21


def test_top_per_gloss_takes_k_of_each_predicted_gloss() -> None:
    given = pool(1, num_clips=400)
    rows = TopPerGloss(num_clips=4).select(given)
    assert np.bincount(given.gloss[rows], minlength=5).tolist() == [4] * 5


def test_top_per_gloss_hand_value() -> None:
    probabilities = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.45, 0.55]], np.float32
    )
    given = Candidates(probabilities, np.array([True, True, True, True, True]), 1, 1.0)
    assert TopPerGloss(num_clips=2).select(given).tolist() == [0, 1, 3, 4]
    assert TopPerGloss(num_clips=2, confidence=0.6).select(given).tolist() == [0, 1, 3]


@pytest.mark.parametrize(("growth", "share"), [(1.0, 0.25), (4.0, 0.5)])
def test_share_per_gloss_grows_up_to_the_largest_share(growth: float, share: float) -> None:
    given = everything(3, growth=growth, num_clips=200)
    chosen = SharePerGloss(share=0.25, largest_share=0.5).select(given)
    found = np.bincount(given.gloss[chosen], minlength=5)
    np.testing.assert_array_equal(found, np.ceil(share * given.num_predicted))


@pytest.mark.parametrize("count", [7, 14, 28, 55, 56])
def test_share_per_gloss_takes_no_clip_more_than_its_share(count: int) -> None:
    """0.07 * 100 is a little above 7."""
    confidence = np.linspace(0.51, 0.99, 100, dtype=np.float32)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    given = Candidates(probabilities, np.ones(100, bool), 1, 1.0)
    rule = SharePerGloss(share=count / 100, largest_share=0.6)
    assert rule.select(given).tolist() == list(range(100 - count, 100))


@pytest.mark.parametrize("count", [1, 7, 60, 100])
def test_quantile_takes_its_share_of_the_pool(count: int) -> None:
    given = everything(2, num_clips=100)
    rows = Quantile(share=count / 100).select(given)
    assert len(rows) == count
    left = np.delete(given.confidence, rows)
    assert not len(left) or given.confidence[rows].min() > left.max()


def test_quantile_does_not_care_about_smoothing() -> None:
    given = everything(2)
    smoothed = replace(given, probabilities=0.9 * given.probabilities + 0.1 / 5)
    np.testing.assert_array_equal(Quantile().select(given), Quantile().select(smoothed))
    assert len(Threshold(confidence=0.93).select(given))
    assert not len(Threshold(confidence=0.93).select(smoothed))


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_curriculum_is_the_published_percentile(number: int) -> None:
    given = replace(everything(4, num_clips=83), round=number)
    least = np.percentile(given.confidence, max(100 - 20 * number, 0))
    expected = np.flatnonzero(given.confidence >= least)
    np.testing.assert_array_equal(Curriculum().select(given), expected)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_adaptive_against_a_plain_loop(confidence: float) -> None:
    given = everything(5, num_clips=150)
    learned = [0] * 5
    for row in given.probabilities:
        if row.max() >= confidence:
            learned[int(row.argmax())] += 1
    most = max(*learned, 150 - sum(learned))
    expected = []
    for index, row in enumerate(given.probabilities):
        beta = learned[int(row.argmax())] / most
        if row.max() >= np.float32(confidence * beta / (2 - beta)):
            expected.append(index)
    assert Adaptive(confidence=confidence).select(given).tolist() == expected


class TestClassRebalanced:
    def test_shares_by_hand(self) -> None:
        # 8, 4, 1 labelled clips: the rarest keeps all, the middle (4/8)^a, the first (1/8)^a.
        shares = keep_shares(np.array([4, 8, 1]), 1 / 3)
        np.testing.assert_allclose(shares, [0.5 ** (1 / 3), 0.5, 1.0])

    def test_equal_counts_share_alike(self) -> None:
        np.testing.assert_allclose(keep_shares(np.array([2, 2, 2]), 1 / 3), 1)
        shares = keep_shares(np.array([4, 2, 4, 1]), 1.0)
        np.testing.assert_allclose(shares, [(1 / 4 + 2 / 4) / 2, 1, (1 / 4 + 2 / 4) / 2, 1])

    def test_takes_its_share_of_each_gloss(self) -> None:
        given = everything(6, num_clips=300)
        rows = ClassRebalanced().select(given)
        expected = np.ceil(keep_shares(LABELLED, 1 / 3) * given.num_predicted - 1e-9)
        np.testing.assert_array_equal(np.bincount(given.gloss[rows], minlength=5), expected)


def test_uncertainty_wants_both() -> None:
    given = everything(7)
    deviation = given.evidence.deviation
    assert deviation is not None
    expected = (given.confidence >= 0.5) & (deviation <= 0.03)
    rows = Uncertainty(confidence=0.5, deviation=0.03).select(given)
    np.testing.assert_array_equal(rows, np.flatnonzero(expected))


def test_agreement_by_hand() -> None:
    given = taken(everything(), np.arange(3))
    gloss = given.gloss
    other = (gloss + 1) % 5
    evidence = replace(
        given.evidence,
        view_glosses=np.stack([[gloss[0]] * 2, [gloss[1], other[1]], [other[2]] * 2]),
        ends_cut_glosses=np.array([other[0], gloss[1], other[2]]),
    )
    given = replace(given, evidence=evidence)
    assert ViewsAgree().select(given).tolist() == [0]
    assert EndsCutAgree().select(given).tolist() == [1]


def test_evidence_that_is_missing_is_named() -> None:
    bare = Candidates(pool(0).probabilities, np.ones(60, bool), 1, 1.0)
    with pytest.raises(ValueError, match="glosses of views"):
        ViewsAgree().select(bare)


@pytest.mark.parametrize("cut", [(0.0, 0.0), (0.6, 0.5)])
def test_ends_must_leave_something(cut: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="head_fraction"):
        EndsCutAgree(head_fraction=cut[0], tail_fraction=cut[1])
