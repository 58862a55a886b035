"""Where the study's journal lies: in the run's folder, or on this machine with a copy behind a URI.

Object stores can't append, so that a run behind a URI writes its journal into this machine's cache
and puts a copy of the whole file beside the run whenever a trial starts or ends. A machine that
takes the run over, or takes it back, begins with that copy.
"""

from __future__ import annotations

import hashlib

from slr_ray.records.run_folder import RunFolder
from slr_ray.storage import cache_root


class Journal:
    """The journal of a run."""

    def __init__(self, folder: RunFolder) -> None:
        store = self._store = folder.store
        self._name = folder.journal
        if store.is_local:
            self.path = store.local_path(self._name)
            return
        key = hashlib.sha256(store.location.encode()).hexdigest()[:24]
        self.path = cache_root() / "journals" / f"{key}.journal"
        if not store.exists(self._name):
            return
        copy = store.read_bytes(self._name)
        # A longer journal has what was not kept yet; any other one was overtaken elsewhere.
        if not self.path.exists() or not self.path.read_bytes().startswith(copy):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".writing")
            temporary.write_bytes(copy)
            temporary.replace(self.path)

    def keep(self) -> None:
        """Bring the copy behind a URI up to date."""
        if not self._store.is_local and self.path.exists():
            self._store.write_bytes(self._name, self.path.read_bytes())
