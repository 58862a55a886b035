"""The folder of `slr_ray.train`."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

    def finished_seeds(self, fold: int | None = None) -> list[int]:
        """The seeds whose results are whole: of a fold, or without folds."""
        below_fold = "" if fold is None else f"fold_{fold}/"
        return sorted(int(one) for one in self._numbers(rf"{below_fold}seed_(\d+)/record\.json"))

    def begun_folds(self) -> list[int]:
        """The folds that have a whole result; none where the folder was trained without folds."""
        return sorted({int(one) for one in self._numbers(r"fold_(\d+)/seed_\d+/record\.json")})

    def _numbers(self, pattern: str) -> Iterator[str]:
        names = self.store.names("", suffix="/record.json")
        return (one[1] for one in (re.fullmatch(pattern, name) for name in names) if one)

    def write_folds(self, record: FoldsRecord, markdown: str) -> str:
        """Write folds.json and folds.md; returns where the former lies."""
        write_record(self.store, _FOLDS, record)
        self.store.write_bytes("folds.md", markdown.encode())
        return below(self.store.location, _FOLDS)

    def folds(self) -> FoldsRecord:
        return read_record(self.store, _FOLDS, FoldsRecord)
