"""What every measurement of a cell is."""

from __future__ import annotations

from abc import abstractmethod

from slr_ray.config import Config
from slr_ray.experiment.prepared import Prepared
from slr_ray.records.stages import StageStore
from slr_ray.search.comparison.cells import Outcome
from slr_ray.workers.place import Place


class Measurement(Config):
    """What a table measures of each cell."""

    @property
    @abstractmethod
    def figures(self) -> tuple[str, ...]:
        """The names of what it gives, of `FIGURES`."""

    def check(self, prepared: Prepared, seed: int) -> None:
        """`ConfigError` where the cell's experiment can't be measured so."""

    @abstractmethod
    def measure(self, prepared: Prepared, seed: int, stages: StageStore, place: Place) -> Outcome:
        """What the cell gives; trained rounds are read from `stages` and kept there."""
