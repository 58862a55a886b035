"""What every process of a run knows: where results go and how work is done. Plain data, no Ray."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.records.stages import StageStore
from slr_ray.storage import Store


@dataclass(frozen=True)
class Job:
    """One run's constants, sent to the processes that train."""

    location: str
    """The run's folder or URI."""
    metric: str
    """The field of `Metrics` that the search maximises, on validation."""
    search_seeds: tuple[int, ...]
    """Label draws that each trial averages over."""
    num_threads: int
    """Threads of one trial's process."""
    share_stages: bool = True
    """Whether trials that agree up to a round train it once."""

    @property
    def store(self) -> Store:
        return Store(self.location)

    def stages(self, owner: str) -> StageStore:
        """The stage store; `owner`'s own where stages are not shared."""
        folder = "stages" if self.share_stages else f"stages/{owner}"
        return StageStore(self.store.join(folder))


def trial_folder(number: int) -> str:
    return f"trials/{number:04d}"


def trial_name(number: int) -> str:
    """A trial's name in Ray, TensorBoard and among stages that are not shared."""
    return f"trial_{number:04d}"
