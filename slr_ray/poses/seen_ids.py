"""Which clip ids have been seen, in memory that does not grow with their number."""

from __future__ import annotations

import hashlib
import tempfile

import numpy as np

_FREE = 0


class SeenIds:
    """A set of ids as 64-bit hashes in a temporary file that the system may drop from memory.

    Open addressing with linear probing, at most half full. Two different ids of a million share a
    hash with probability 3e-8; the second would then be taken for a duplicate.
    """

    def __init__(self, max_ids: int) -> None:
        slots = 1 << max(4, (2 * max_ids - 1).bit_length())
        self._file = tempfile.TemporaryFile(prefix="slr_ray-ids-")  # noqa: SIM115  # see close
        self._file.truncate(8 * slots)
        self._table = np.memmap(self._file, dtype=np.uint64, mode="r+", shape=(slots,))
        self._last = slots - 1

    def add(self, clip_id: str) -> bool:
        """Remember an id; False where it was there already."""
        digest = hashlib.blake2b(clip_id.encode(), digest_size=8).digest()
        value = int.from_bytes(digest, "little") or 1
        slot = value & self._last
        while (found := int(self._table[slot])) != _FREE:
            if found == value:
                return False
            slot = (slot + 1) & self._last
        self._table[slot] = value
        return True

    def close(self) -> None:
        """Give the file back; the object is of no use afterwards."""
        del self._table
        self._file.close()
