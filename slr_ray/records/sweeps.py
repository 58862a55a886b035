"""What a sweep leaves behind: which cells make up its table, and what each of them gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from slr_ray.config import Record
from slr_ray.errors import DataError
from slr_ray.records.measured import SeedRecord
from slr_ray.records.record_files import read_record, write_record
from slr_ray.records.run_folder import ResultFolder, RunFolder
from slr_ray.storage import Store, below, parted

_SWEEP, _CELLS = "sweep.json", "cells.csv"


class CellRecord(Record):
    """One setting on one draw."""

    figures: dict[str, float]
    """What was measured on the test set, by name."""
    curves: dict[str, list[tuple[float, float]]] = Field({})
    """Figures over something, by name, where a measurement has such."""
    num_labelled: int
    """Clips that trained with their label."""
    num_training: int
    """Training clips that a pool may label."""
    num_validation: int
    """Labelled clips that chose: labels, too."""
    num_test: int
    num_glosses: int
    num_steps: int
    training_s: float
    """Of this cell alone, stages that others had trained included."""
    trained: SeedRecord | None = None


class BlockRecord(Record):
    """One corpus of a sweep, or one that encoders are transferred to."""

    title: str
    data: dict[str, Any]
    """The section `data` of its experiments, before the grid."""
    initialisation: dict[str, Any] = Field({})
    """What says that encoders come from another corpus, where they do."""
    fingerprint: str
    num_clips: int
    num_glosses: int
    num_signers: int


class CellEntry(Record):
    """A cell's place in the table, and where its result lies."""

    block: str
    setting: str
    point: dict[str, Any]
    """The grid's values by path; without the axes that the setting does not go along."""
    seed: int
    fold: int | None
    key: str | None
    """The name of its folder among all cells of the storage; None where it can't be."""
    impossible: str | None = None
    """Why it can't be."""

    @property
    def label(self) -> str:
        """Corpus, setting and place, and the fold where there is one."""
        at = " ".join(f"{path}={value}" for path, value in self.point.items())
        place = "/".join(one for one in (self.block, self.setting, at) if one)
        return place if self.fold is None else f"{place} fold {self.fold}"

    @property
    def name(self) -> str:
        """The same in every call of the sweep."""
        return f"{self.label}/{self.seed}"


class SweepRecord(Record):
    name: str
    created: str
    command: list[str]
    table: dict[str, Any]
    """What the file says."""
    overrides: dict[str, Any]
    """The user's, by dotted path."""
    seeds: list[int]
    num_folds: int | None
    blocks: list[BlockRecord]
    cells: list[CellEntry]
    failed: dict[str, str]
    """Why cells failed when they were last tried, by name; none that has a result by now."""
    left_because: str | None = None
    """Why cells were not begun, where there is a reason."""
    environment: dict[str, Any]
    finished: str | None
    """When no cell was left; None before, and where some failed."""
    wall_s: float
    """Of all starts of the command, each until the last event in its log."""


@dataclass(frozen=True)
class SweepFolder(RunFolder):
    """A sweep's own folder. Cells and stages lie beside it, for all sweeps of one storage."""

    @property
    def shared(self) -> Store:
        return Store(below(parted(self.location)[0], "shared"))

    def stages(self, owner: str | None = None) -> Store:
        """Where stages of all sweeps lie; `owner`'s own where they are not shared."""
        return self.shared.join("stages" if owner is None else f"stages/{owner}")

    def cell(self, key: str) -> ResultFolder:
        """The result of all that `key` is the hash of."""
        return ResultFolder(self.shared.join(f"cells/{key}"))

    def exists(self) -> bool:
        return self.store.exists(_SWEEP)

    def write_sweep(self, record: SweepRecord) -> None:
        write_record(self.store, _SWEEP, record)

    def read_sweep(self) -> SweepRecord:
        """`DataError` where there is none."""
        if not self.exists():
            raise DataError(
                f"{self.location} is no sweep: it has no {_SWEEP}; give the folder that "
                "slr_ray.sweep printed as its result"
            )
        return read_record(self.store, _SWEEP, SweepRecord)

    def write_cells(self, content: str) -> None:
        """All figures as one table, for other programs."""
        self.store.write_bytes(_CELLS, content.encode())
