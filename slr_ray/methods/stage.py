"""Work whose result is a stage: done once, read by whoever needs it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from slr_ray.records.stages import StageStore, State
from slr_ray.workers.place import Place


def stage(
    stages: StageStore, place: Place, key: str, work: Callable[[], State]
) -> tuple[State, bool]:
    """What is stored under `key`, and whether it was; where it is not, all workers do the work."""
    # One worker holds the stage for all of them: two would wait for each other.
    with stages.claimed(key) if place.leads else nullcontext():
        if place.agreed(stages.exists(key)):
            return stages.load(key), True
        done = work()
        if place.leads:
            stages.save(key, done)
        place.wait_for_all()
    return done, False
