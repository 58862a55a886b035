"""The study's journal as Optuna writes it, without a wait for the disk after every entry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend


class Entries(JournalFileBackend):
    """Optuna's journal file, written by the one process that holds the run.

    Optuna locks the file and waits for the disk with each entry, of which a trial has four and
    more. Here an entry outlives its process as soon as it is written, and `Journal.keep` waits for
    the disk when a trial has begun or ended.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = [json.dumps(one, separators=(",", ":")) + "\n" for one in logs]
        with self._path.open("ab") as file:
            file.write("".join(lines).encode())
