"""Word errors against a table of costs and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from every_path import sequences

from slr_ray.sentences.word_errors import (
    WordErrors,
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
