"""Where the study's journal lies: in the run's folder, or on this machine with a copy behind a URI.

Object stores can't append, so that a run behind a URI writes its journal into this machine's cache
and sends what is new of it whenever a trial starts or ends. A machine that takes the run over, or
takes it back, begins with that copy.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import Growing, cache_root


class Journal:
    """The journal of a run, whole: half a line that a kill or a full disk left is cut off.

    The caller holds the run, so that no other process writes into the journal meanwhile.
    """

    def __init__(self, folder: RunFolder) -> None:
        store = folder.store
        self._copy: Growing | None = None
        if store.is_local:
            self.path = store.local_path(folder.journal)
        else:
            key = hashlib.sha256(store.location.encode()).hexdigest()[:24]
            self.path = cache_root() / "journals" / f"{key}.journal"
            self._copy = Growing(store, folder.journal)
            self._take_over(self._copy.read())
        _mend(self.path)

    def _take_over(self, copy: bytes) -> None:
        """Begin with the copy behind the URI, unless this machine knows more."""
        # A longer journal has what was not kept yet; any other one was overtaken elsewhere.
        if copy and not (self.path.exists() and self.path.read_bytes().startswith(copy)):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".writing")
            temporary.write_bytes(copy)
            temporary.replace(self.path)

    def keep(self) -> None:
        """Bring what was written to the disk, or the copy behind a URI up to date."""
        if not self.path.exists():
            return
        if self._copy is not None:
            self._copy.keep(self.path.read_bytes())
            return
        with self.path.open("ab") as file:
            os.fsync(file.fileno())


def _mend(path: Path) -> None:
    """Cut the journal off before the first line that is none.

    A kill, a full disk or a power cut leaves half a line at the end; what is appended to it would
    be lost, and the search with it. What more is cut off stays beside the journal.
    """
    # Optuna's lock, which is left where its process was killed in the middle of a write.
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    if not path.exists():
        return
    content = path.read_bytes()
    good = 0
    for line in content.splitlines(keepends=True):
        if not _is_entry(line):
            break
        good += len(line)
    if good == len(content):
        return
    if b"\n" in content[good:].rstrip(b"\n"):
        path.with_name(f"{path.name}.damaged").write_bytes(content[good:])
    os.truncate(path, good)


def _is_entry(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
