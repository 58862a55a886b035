"""Word errors against a table of costs; intervals against kaldialign's and by hand."""

from __future__ import annotations

import math

import kaldialign
import numpy as np
import pytest
from every_path import sequences

from slr_ray.sentences.word_errors import (
    WordErrors,
    bootstrap,
    errors_by_sentence,
    word_errors,
)


def cheapest(true: list[int], said: list[int]) -> int:
    """sclite's cost of an alignment: 4 a substitution, 3 a deletion or an insertion."""
    cost = {(0, 0): 0}
    for r in range(len(true) + 1):
        for h in range(len(said) + 1):
            ways = []
            if r and h:
                ways.append(cost[r - 1, h - 1] + 4 * (true[r - 1] != said[h - 1]))
            if r:
                ways.append(cost[r - 1, h] + 3)
            if h:
                ways.append(cost[r, h - 1] + 3)
            if ways:
                cost[r, h] = min(ways)
    return cost[len(true), len(said)]


@pytest.mark.parametrize("seed", range(40))
def test_costs_what_the_cheapest_alignment_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, said = (rng.integers(0, 4, rng.integers(0, 12)) for _ in range(2))
    found = word_errors(true, said)
    cost = 4 * found.substitutions + 3 * (found.deletions + found.insertions)
    assert cost == cheapest(true.tolist(), said.tolist())
    assert found.num_glosses == len(true)
    assert len(said) - len(true) == found.insertions - found.deletions


def test_by_hand() -> None:
    true, said = sequences((0, 1, 2, 3), (0, 9, 3, 4, 5))
    found = word_errors(true, said)
    assert (found.substitutions, found.deletions, found.insertions) == (1, 1, 2)
    assert (found.total, found.num_glosses) == (4, 4)
    assert (found.rate, found.gloss_accuracy) == (1.0, 0.0)


def test_rate_above_one_and_without_glosses() -> None:
    assert word_errors(*sequences((0,), (1, 2, 3))).gloss_accuracy == -2.0
    assert math.isnan(WordErrors.together([]).rate)


def test_together_is_over_glosses() -> None:
    errors = errors_by_sentence(sequences((0,), (1, 2, 3)), sequences((1,), (1, 2, 3)))
    assert WordErrors.together(errors) == WordErrors(1, 0, 0, 4)
    assert WordErrors.together(errors).rate == 0.25


def some_errors(seed: int, rate: float, num_sentences: int = 60) -> list[WordErrors]:
    rng = np.random.default_rng(seed)
    glosses = rng.integers(3, 9, num_sentences)
    return [WordErrors(int(rng.binomial(one, rate)), 0, 0, int(one)) for one in glosses]


def as_sequences(errors: list[WordErrors]) -> tuple[list[list[int]], list[list[int]]]:
    true = [[0] * one.num_glosses for one in errors]
    said = [[1] * one.total + [0] * (one.num_glosses - one.total) for one in errors]
    return true, said


def test_interval_is_that_of_kaldialign() -> None:
    errors, other = some_errors(0, 0.3), some_errors(0, 0.3)
    other = [
        WordErrors(max(one.total - place % 2, 0), 0, 0, one.num_glosses)
        for place, one in enumerate(other)
    ]
    true, said = as_sequences(errors)
    expected = kaldialign.bootstrap_wer_ci(true, said, as_sequences(other)[1], seed=1)
    for own, theirs in ((errors, expected["system1"]), (other, expected["system2"])):
        found = bootstrap(own)
        assert found.mean == pytest.approx(WordErrors.together(own).rate)
        assert found.span.low == pytest.approx(theirs["ci95min"], abs=0.01)
        assert found.span.high == pytest.approx(theirs["ci95max"], abs=0.01)
    better = bootstrap(other, errors).below_zero
    assert better == pytest.approx(expected["p_s2_improv_over_s1"], abs=0.02)


def test_pairs_take_out_what_both_share() -> None:
    errors = some_errors(0, 0.5)
    worse = [WordErrors(one.total, 0, 1, one.num_glosses) for one in errors]
    paired = bootstrap(worse, errors)
    alone = bootstrap(worse)
    assert paired.mean == pytest.approx(60 / WordErrors.together(errors).num_glosses)
    assert paired.span.low > 0
    assert paired.below_zero == 0.0
    assert paired.span.high - paired.span.low < 0.5 * (alone.span.high - alone.span.low)
    assert bootstrap(errors, errors).below_zero == 0.5


def test_groups_stay_together() -> None:
    # Two signers, one always right and one always wrong: three draws are possible.
    errors = [WordErrors(0, 0, 0, 5)] * 10 + [WordErrors(5, 0, 0, 5)] * 10
    found = bootstrap(errors, groups=np.repeat([7, 3], 10))
    assert (found.span.low, found.mean, found.span.high) == (0.0, 0.5, 1.0)
    assert bootstrap(errors).span.high < 0.8


def test_no_sentence_has_no_interval() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        bootstrap([])
