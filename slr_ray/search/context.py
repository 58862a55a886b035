"""What every process of a run knows: where results go and how work is done. Plain data, no Ray."""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.records.run_folder import RunFolder
from slr_ray.records.stages import StageStore
from slr_ray.search.draws import Draw


@dataclass(frozen=True)
class RunContext:
    """One run's constants, sent to the processes that train."""

    folder: RunFolder
    metric: str
    """The field of `Metrics` that the search maximises, on validation."""
    search_draws: tuple[Draw, ...]
    """Label draws, in folds where there are any, that each trial averages over."""
    num_threads: int
    """Threads of one trial's process."""
    share_stages: bool = True
    """Whether trials that agree up to a round train it once."""

    def stages(self, owner: str) -> StageStore:
        """The stage store; `owner`'s own where stages are not shared."""
        return StageStore(self.folder.stages(None if self.share_stages else owner))
