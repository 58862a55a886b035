"""Rules that choose sentences: one suite over all, then each by hand or against a loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from every_path import sequences

from slr_ray.config import Config, alternatives
from slr_ray.selection.select.threshold import Threshold
from slr_ray.selection.weight.hard import Hard
from slr_ray.sentences.selection.candidates import SentenceCandidates
from slr_ray.sentences.selection.degenerate import RejectDegenerate
from slr_ray.sentences.selection.gloss_balanced import GlossBalanced
from slr_ray.sentences.selection.rules import SentenceSelection
from slr_ray.sentences.selection.segment_wise import SegmentWise
from slr_ray.sentences.selection.top_per_length import TopPerLength, shared_out
from slr_ray.sentences.selection.weights import SentenceWeight


class Choice(Config):
    selection: SentenceSelection = Threshold()
    weight: SentenceWeight = Hard()


RULES: list[Any] = [
    Threshold(confidence=0.4),
    TopPerLength(num_sentences=9),
    TopPerLength(num_sentences=15, width=3, confidence=0.3),
    GlossBalanced(num_sentences=12),
    SegmentWise(num_segments=3),
]
# A new rule is covered as it comes.
RULES += [
    rule()
    for rule in alternatives(Choice, "selection").values()
    if rule not in {type(one) for one in RULES}
]


def pool(seed: int = 0, *, num_sentences: int = 60, growth: float = 1.0) -> SentenceCandidates:
    """Hypotheses of 1 to 7 of 5 glosses, of which 7 in 10 are allowed."""
    rng = np.random.default_rng(seed)
    said = [
        rng.choice(5, rng.integers(1, 8), p=[0.5, 0.2, 0.15, 0.1, 0.05])
        for _ in range(num_sentences)
    ]
    return SentenceCandidates(
        said,
        rng.random(num_sentences),
        [rng.random(len(one)) for one in said],
        5,
        rng.random(num_sentences) < 0.7,
        1,
        growth,
    )


@pytest.mark.parametrize("rule", RULES, ids=repr)
class TestEveryRule:
    @pytest.mark.parametrize("seed", range(4))
    def test_returns_allowed_rows_once_in_order(self, rule: Any, seed: int) -> None:
        given = pool(seed)
        rows = rule.select(given)
        if not isinstance(rule, Threshold):
            assert len(rows)
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
        assert given.allowed[rows].all()

    def test_nothing_allowed(self, rule: Any) -> None:
        assert len(rule.select(replace(pool(), allowed=np.zeros(60, bool)))) == 0

    def test_empty_pool(self, rule: Any) -> None:
        assert rule.select(pool(num_sentences=0)).tolist() == []

    def test_every_growth(self, rule: Any) -> None:
        counts = [len(rule.select(replace(pool(), growth=one))) for one in (1.0, 2.0, 1e3)]
        assert counts == sorted(counts)

    def test_empty_hypotheses_end(self, rule: Any) -> None:
        given = pool()
        nothing = replace(
            given, sequences=sequences(*[()] * 60), spike_confidence=[np.empty(0)] * 60
        )
        assert given.allowed[rule.select(nothing)].all()


@pytest.mark.parametrize("kind", alternatives(Choice, "weight"))
def test_every_weight_follows_the_confidence_of_sentences(kind: str) -> None:
    given, rows = pool(), np.array([2, 5, 11, 40])
    weights = Choice.model_validate({"weight": {"kind": kind}}).weight.weigh(given, rows)
    assert ((weights > 0) & (weights <= 1)).all()
    order = np.argsort(given.confidence[rows])
    assert (np.diff(weights[order]) >= 0).all()


def test_of_each_length_its_share() -> None:
    said = sequences(*[(0,)] * 6, *[(0, 1)] * 3, *[(0, 1, 2)] * 3)
    sure = np.array([9, 8, 7, 6, 5, 4, 1, 3, 2, 2, 1, 3]) / 10
    given = SentenceCandidates(said, sure, [], 3, np.ones(12, bool), 1, 1.0)
    assert TopPerLength(num_sentences=4).select(given).tolist() == [0, 1, 7, 11]
    # One and two glosses together: 9 of 12.
    assert TopPerLength(num_sentences=4, width=2).select(given).tolist() == [0, 1, 2, 11]
    assert TopPerLength(num_sentences=4, confidence=0.85).select(given).tolist() == [0]
    assert len(TopPerLength(num_sentences=100).select(given)) == 12


@pytest.mark.parametrize("seed", range(20))
def test_places_are_shared_out_by_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 9, 6)
    count = int(rng.integers(0, 60))
    places = shared_out(count, sizes)
    assert places.sum() == min(count, sizes.sum())
    assert (places <= sizes).all()
    exact = min(count, sizes.sum()) * sizes / max(sizes.sum(), 1)
    assert (np.abs(places - exact) < 1).all()


def cover_by_hand(given: SentenceCandidates, count: int) -> set[int]:
    left = {row for row in range(len(given.sequences)) if given.allowed[row]}
    in_pool = [sum(gloss in given.sequences[row] for row in left) for gloss in range(5)]
    selected, chosen = [0] * 5, set()
    while left and len(chosen) < count:
        open_glosses = [
            gloss for gloss in range(5) if any(gloss in given.sequences[row] for row in left)
        ]
        gloss = min(open_glosses, key=lambda one: (selected[one], in_pool[one], one))
        own = [row for row in left if gloss in given.sequences[row]]
        row = max(own, key=lambda one: (given.confidence[one], -one))
        left.remove(row)
        chosen.add(row)
        for one in given.sequences[row]:
            selected[one] += 1
    return chosen


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("count", [1, 5, 20, 100])
def test_the_cover_against_a_loop(seed: int, count: int) -> None:
    given = pool(seed)
    found = GlossBalanced(num_sentences=count).select(given)
    assert set(found.tolist()) == cover_by_hand(given, count)


def test_the_cover_is_more_even_than_confidence() -> None:
    given = replace(pool(1, num_sentences=400), allowed=np.ones(400, bool))

    def rarest(rows: np.ndarray) -> int:
        every = np.concatenate([given.sequences[row] for row in rows])
        return int(np.bincount(every, minlength=5).min())

    best = given.most_confident(np.arange(400), 40)
    assert rarest(GlossBalanced(num_sentences=40).select(given)) > 2 * rarest(best)


@pytest.mark.parametrize("seed", range(5))
def test_segments_against_a_loop(seed: int) -> None:
    given = pool(seed)
    rule = SegmentWise(num_segments=4, confidence=0.2)
    found = rule.segments(given)
    for gloss in range(5):
        every = [
            (-given.spike_confidence[row][place], row, place)
            for row, said in enumerate(given.sequences)
            for place, one in enumerate(said)
            if one == gloss and given.allowed[row] and given.spike_confidence[row][place] >= 0.2
        ]
        expected = {(row, place) for _, row, place in sorted(every)[:4]}
        own = {
            (row, place)
            for row, marks in enumerate(found)
            for place in np.flatnonzero(marks)
            if given.sequences[row][place] == gloss
        }
        assert own == expected
    with_any = [row for row, marks in enumerate(found) if marks.any()]
    assert rule.select(given).tolist() == with_any


def test_degenerate_hypotheses_go() -> None:
    labelled = np.arange(1, 101), np.full(100, 1000)
    given = np.array([0, 2, 3, 50, 98, 99, 400]), np.full(7, 1000)
    stays = RejectDegenerate(keep=0.96).stays(*given, *labelled)
    assert stays.tolist() == [False, False, True, True, True, False, False]
    assert RejectDegenerate(keep=1.0).stays(*given, *labelled).tolist() == [False] + [True] * 5 + [
        False
    ]
    # By step, not by sentence.
    assert RejectDegenerate().stays(np.array([5]), np.array([20]), *labelled).tolist() == [False]
