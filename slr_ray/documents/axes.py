"""An axis for whatever a parameter may be: numbers, evenly or in their logarithm, or choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from slr_ray.documents.svg import Number, Scale


def axis_of(
    values: Sequence[Any], start: Number, end: Number, absent: Number
) -> tuple[Callable[[Any], Number], list[tuple[Number, str]]]:
    """How the axis from `start` to `end` places a value, None at `absent`; and its marks."""
    there = [value for value in values if value is not None]
    if there and all(is_number(value) for value in there):
        low, high = float(min(there)), float(max(there))
        log = low > 0 and high / low > 50
        scale = Scale(*(math.log(low), math.log(high)) if log else (low, high), start, end)

        def place_number(value: Any) -> Number:
            if value is None:
                return absent
            return scale(math.log(value) if log else float(value))

        if low == high:
            return place_number, [(place_number(low), f"{low:.4g}")]
        return place_number, [(start, f"{low:.4g}"), (end, f"{high:.4g}")]
    choices = sorted({str(value) for value in there})
    steps = Scale(0, max(1, len(choices) - 1), start, end)
    order = {choice: index for index, choice in enumerate(choices)}

    def place_choice(value: Any) -> Number:
        return absent if value is None else steps(order[str(value)])

    return place_choice, [(steps(index), choice) for index, choice in enumerate(choices)]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
