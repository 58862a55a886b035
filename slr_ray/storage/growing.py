"""A text that only grows, behind a URI: object stores can't append, so it lies there in pieces."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from slr_ray.storage.store import Store

_PIECE_BYTES = 2**15


class Growing:
    """The pieces of a growing text below a folder of a store.

    Only the last piece goes up again when the text has grown, and a full one never: a text of a
    thousand additions costs a thousand times half a piece, not half a million additions.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder = store, folder
        self._first = 0
        """Of the text, the byte that the last piece begins with; so the piece's name."""
        self._kept = 0

    def read(self) -> bytes:
        """The whole text as it lies there; empty where there is none."""
        names = list(self._store.names(self._folder))
        with ThreadPoolExecutor(max_workers=8) as pool:
            pieces = list(pool.map(self._store.read_bytes, names))
        content = b"".join(pieces)
        self._first = len(content) - len(pieces[-1]) if pieces else 0
        self._kept = len(content)
        return content

    def keep(self, content: bytes) -> None:
        """Bring the pieces up to date with a text that begins as they do."""
        while self._kept < len(content):
            if self._kept - self._first >= _PIECE_BYTES:
                self._first = self._kept
            end = min(len(content), self._first + _PIECE_BYTES)
            self._store.write_bytes(
                f"{self._folder}/{self._first:012d}", content[self._first : end]
            )
            self._kept = end
