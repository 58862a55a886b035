"""Several ways of doing the same, timed in turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch

CPU = torch.device("cpu")


def seconds(call: Callable[[], object], device: torch.device = CPU) -> float:
    """How long a call takes, with what it leaves a GPU to do."""
    finish(device)
    start = time.perf_counter()
    call()
    finish(device)
    return time.perf_counter() - start


def finish(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; a processor has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def in_turns(
    calls: Mapping[str, Callable[[], object]], num_repeats: int, device: torch.device = CPU
) -> dict[str, list[float]]:
    """Seconds of each call, so many times.

    They take turns, so that whatever else the machine does hits all; the first round warms up and
    is not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(num_repeats + 1):
        for name, call in calls.items():
            found = seconds(call, device)
            if repeat:
                taken[name].append(found)
    return taken


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

    Each call does `num_items` `items`.
    """
    taken = in_turns(dict(zip(names, (ours, other), strict=True)), num_repeats)
    medians = [statistics.median(times) for times in taken.values()]
    for (name, times), median in zip(taken.items(), medians, strict=True):
        print(
            f"{name}: {median * 1e3:.1f} ms, {num_items / median:.0f} {items}/s "
            f"(median of {num_repeats}, {min(times) * 1e3:.1f} to {max(times) * 1e3:.1f} ms)"
        )
    ratio = medians[1] / medians[0]
    print(f"ratio: {ratio:.1f}")
    return ratio
