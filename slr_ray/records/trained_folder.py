"""The folder of `slr_ray.train`."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from slr_ray.records.folds import FoldsRecord, draw_path
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
        return ResultFolder(self.store.join(draw_path(seed, fold)))

    def finished(self) -> dict[int | None, list[int]]:
        """The seeds whose results are whole, by fold; None is what was trained without folds."""
        found = defaultdict[int | None, list[int]](list)
        for name in self.store.names("", suffix="/record.json"):
            one = re.fullmatch(r"(?:fold_(\d+)/)?seed_(\d+)/record\.json", name)
            if one is not None:
                found[None if one[1] is None else int(one[1])].append(int(one[2]))
        folds = sorted(found, key=lambda fold: -1 if fold is None else fold)
        return {fold: sorted(found[fold]) for fold in folds}

    def finished_seeds(self) -> list[int]:
        """Those of `finished` without folds."""
        return self.finished().get(None, [])

    def write_folds(self, record: FoldsRecord, markdown: str) -> str:
        """Write folds.json and folds.md; returns where the former lies."""
        write_record(self.store, _FOLDS, record)
        self.store.write_bytes("folds.md", markdown.encode())
        return below(self.store.location, _FOLDS)

    def folds(self) -> FoldsRecord:
        return read_record(self.store, _FOLDS, FoldsRecord)
