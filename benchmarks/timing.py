"""Two ways of doing the same, timed in turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def compare(
    ours: Callable[[], object],
    other: Callable[[], object],
    *,
    names: tuple[str, str],
    num_items: int,
    items: str,
    num_repeats: int,
) -> float:
    """Print the median time of both and, as the last line, how many times faster `ours` is.

    Each call does `num_items` `items`. They take turns, so that whatever else the machine does hits
    both; the first round warms up and is not counted.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for repeat in range(num_repeats + 1):
        for call, times in zip((ours, other), taken, strict=True):
            start = time.perf_counter()
            call()
            if repeat:
                times.append(time.perf_counter() - start)
    medians = [statistics.median(times) for times in taken]
    for name, median, times in zip(names, medians, taken, strict=True):
        print(
            f"{name}: {median * 1e3:.1f} ms, {num_items / median:.0f} {items}/s "
            f"(median of {num_repeats}, {min(times) * 1e3:.1f} to {max(times) * 1e3:.1f} ms)"
        )
    ratio = medians[1] / medians[0]
    print(f"ratio: {ratio:.1f}")
    return ratio
