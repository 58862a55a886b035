"""Frames at another rate: which of them stands for each instant."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

Picture = TypeVar("Picture")
MOST_DRIFT_S = 0.1
"""Seconds by which times at a mean rate may be off before people are told: two or three frames."""


def resampled(
    frames: Iterator[tuple[float, Picture]], target_fps: float
) -> Iterator[tuple[float, Picture, int]]:
    """Frames that are due, each with the number of instants that it is the nearest to in time."""
    start = None
    num_given = 0
    held: tuple[float, Picture] | None = None
    for time_s, frame in frames:
        if start is None:
            start = time_s
        if held is not None:
            # The held frame is the nearest to all instants up to the middle of the two.
            middle = (held[0] + time_s) / 2 - start
            due = max(num_given, math.ceil(middle * target_fps - 1e-6))
            if due > num_given:
                yield (*held, due - num_given)
                num_given = due
        held = (time_s, frame)
    if held is not None and start is not None:
        due = math.floor((held[0] - start) * target_fps + 1e-6) + 1
        if due > num_given:
            yield (*held, due - num_given)
