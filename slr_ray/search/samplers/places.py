"""Values of a distribution by their place in it, from 0 to 1: evenly, or in its logarithm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def value_at(distribution: BaseDistribution, place: float) -> Any:
    """The value at a place; whole numbers and categories have equal parts of the range."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return choices[min(int(place * len(choices)), len(choices) - 1)]
    if isinstance(distribution, FloatDistribution) and place in (0.0, 1.0):
        # The logarithm's rounding would show.
        return distribution.high if place else distribution.low
    low, high = _edges(distribution)
    value = low + place * (high - low)
    if _is_log(distribution):
        value = math.exp(value)
    if isinstance(distribution, IntDistribution):
        steps = round((value - distribution.low) / distribution.step)
        last = (distribution.high - distribution.low) // distribution.step
        return distribution.low + distribution.step * min(max(steps, 0), last)
    assert isinstance(distribution, FloatDistribution)
    return min(max(value, distribution.low), distribution.high)


def values_at(
    distributions: Mapping[str, BaseDistribution], point: Iterable[float]
) -> dict[str, Any]:
    """The setting at a point, which has a place in each distribution."""
    named = zip(distributions.items(), point, strict=True)
    return {name: value_at(one, float(place)) for (name, one), place in named}


def place_of_value(distribution: BaseDistribution, value: float) -> float:
    """The place of a number; `value_at` gives the number back."""
    low, high = _edges(distribution)
    at = math.log(value) if _is_log(distribution) else value
    return (at - low) / (high - low)


def levels(distribution: BaseDistribution, count: int) -> list[Any]:
    """All values where there are few, else `count` from end to end."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution):
        every = range(distribution.low, distribution.high + 1, distribution.step)
        if len(every) <= count:
            return list(every)
    places = [index / (count - 1) for index in range(count)]
    return list(dict.fromkeys(value_at(distribution, one) for one in places))


def _edges(distribution: BaseDistribution) -> tuple[float, float]:
    """The ends of the range, logarithmic where it is; whole numbers reach half a step beyond."""
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    if isinstance(distribution, IntDistribution):
        low, high = low - distribution.step / 2, high + distribution.step / 2
    return (math.log(low), math.log(high)) if distribution.log else (low, high)


def _is_log(distribution: BaseDistribution) -> bool:
    return isinstance(distribution, FloatDistribution | IntDistribution) and distribution.log
