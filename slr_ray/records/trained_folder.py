"""The folder of `slr_ray.train`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slr_ray.records.folds import FoldsRecord
from slr_ray.records.record_files import read_record, write_record
from slr_ray.records.run_folder import ResultFolder
from slr_ray.storage import Store, below

_FOLDS = "folds.json"


@dataclass(frozen=True)
class TrainedFolder:
    """What `slr_ray.train` leaves: a result a seed, with `--folds` below one folder a fold."""

    store: Store

    @property
    def stages(self) -> Store:
        return self.store.join("stages")

    def result(self, seed: int, fold: int | None = None) -> ResultFolder:
        name = f"seed_{seed}" if fold is None else f"fold_{fold}/seed_{seed}"
        return ResultFolder(self.store.join(name))

    def finished_seeds(self) -> list[int]:
        """The seeds whose results are whole, those of folds left out."""
        names = self.store.names("", suffix="/record.json")
        found = (re.fullmatch(r"seed_(\d+)/record\.json", one) for one in names)
        return sorted(int(one[1]) for one in found if one is not None)

    def write_folds(self, record: FoldsRecord, markdown: str) -> str:
        """Write folds.json and folds.md; returns where the former lies."""
        write_record(self.store, _FOLDS, record)
        self.store.write_bytes("folds.md", markdown.encode())
        return below(self.store.location, _FOLDS)

    def folds(self) -> FoldsRecord:
        return read_record(self.store, _FOLDS, FoldsRecord)
