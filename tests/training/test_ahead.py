"""One item ahead, in order, and nothing lost when making or using fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from slr_ray.training.ahead import ahead


def test_it_gives_what_a_loop_gives_one_ahead_and_elsewhere() -> None:
    asked: list[int] = []
    threads: set[int] = set()

    def items() -> Iterator[int]:
        for one in range(4):
            asked.append(one)
            yield one

    def make(one: int) -> int:
        threads.add(threading.get_ident())
        return one * one

    made = ahead(items(), make)
    assert next(made) == 0
    assert asked == [0, 1]
    assert list(made) == [1, 4, 9]
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert list(ahead([], make)) == []


def test_what_fails_in_the_making_fails_where_it_is_used() -> None:
    def make(one: int) -> int:
        if one == 2:
            raise ValueError("two")
        return one

    made = ahead(range(5), make)
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(made)
