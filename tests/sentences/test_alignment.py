"""Levenshtein's alignment against all alignments."""

from __future__ import annotations

from collections.abc import Iterator

import kaldialign
import numpy as np
import pytest

from slr_ray.sentences.alignment import align

MATCH, SUBSTITUTION, DELETION, INSERTION = range(4)
"""In the order of preference."""


def every_alignment(said: list[int], true: list[int]) -> Iterator[list[int]]:
    if not said and not true:
        yield []
    if said and true:
        first = MATCH if said[0] == true[0] else SUBSTITUTION
        yield from ([first, *rest] for rest in every_alignment(said[1:], true[1:]))
    if true:
        yield from ([DELETION, *rest] for rest in every_alignment(said, true[1:]))
    if said:
        yield from ([INSERTION, *rest] for rest in every_alignment(said[1:], true))


def operations(said: list[int], true: list[int]) -> list[int]:
    """Those of `align`, which must go through both sequences from the front."""
    found, h, r = [], 0, 0
    for edit in align(np.array(said, np.int64), np.array(true, np.int64)):
        if edit.hypothesis is None:
            assert edit.reference == r
            found.append(DELETION)
            r += 1
        elif edit.reference is None:
            assert edit.hypothesis == h
            found.append(INSERTION)
            h += 1
        else:
            assert (edit.hypothesis, edit.reference) == (h, r)
            found.append(MATCH if said[h] == true[r] else SUBSTITUTION)
            h, r = h + 1, r + 1
        assert edit.is_match == (found[-1] == MATCH)
    assert (h, r) == (len(said), len(true))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_is_the_first_of_the_cheapest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said, true = (rng.integers(0, 2 + seed % 2, rng.integers(0, 6)).tolist() for _ in range(2))
    every = list(every_alignment(said, true))
    fewest = min(sum(one != MATCH for one in each) for each in every)
    expected = min(each for each in every if sum(one != MATCH for one in each) == fewest)
    assert operations(said, true) == expected


def test_ties_by_hand() -> None:
    assert operations([0], [1, 0]) == [DELETION, MATCH]
    assert operations([0], [0, 0]) == [MATCH, DELETION]
    assert operations([2], [0, 1]) == [SUBSTITUTION, DELETION]
    assert operations([0, 1], [2]) == [SUBSTITUTION, INSERTION]
    assert operations([0, 1, 0], [1, 0, 1]) == [DELETION, MATCH, MATCH, INSERTION]


def test_longer_sequences_have_the_distance_of_kaldialign() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        said, true = (rng.integers(0, 9, rng.integers(1, 30)).tolist() for _ in range(2))
        found = sum(one != MATCH for one in operations(said, true))
        assert found == kaldialign.edit_distance(true, said)["total"]
