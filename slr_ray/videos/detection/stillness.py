"""Whether a frame shows anything new since the last one that was looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

_CELLS = 32
"""Cells of the coarse grid along the shorter side."""


class Stillness:
    """Compares coarse brightness grids; the reference is the last frame that was looked at.

    So slow movement adds up until it is seen, instead of hiding from frame to frame.
    """

    def __init__(self) -> None:
        self._seen: Float32[np.ndarray, "rows columns"] | None = None

    def is_still(self, image: UInt8[np.ndarray, "height width 3"], max_change: float) -> bool:
        """Whether no cell differs by more than `max_change` grey levels; never where that is 0."""
        if max_change <= 0 or self._seen is None:
            return False
        return bool(np.abs(_grid(image) - self._seen).max() <= max_change)

    def remember(self, image: UInt8[np.ndarray, "height width 3"], max_change: float) -> None:
        """Take the frame as the new reference; costs nothing where frames are never skipped."""
        if max_change > 0:
            self._seen = _grid(image)


def _grid(image: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "rows columns"]:
    """Mean green, which carries most of the brightness, of square cells."""
    cell = max(1, min(image.shape[:2]) // _CELLS)
    rows, columns = image.shape[0] // cell, image.shape[1] // cell
    green = image[: rows * cell, : columns * cell, 1]
    cells = green.reshape(rows, cell, columns, cell)
    return np.asarray(cells.mean(axis=(1, 3), dtype=np.float32))
