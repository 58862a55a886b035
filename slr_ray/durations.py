"""Time spans as people read them."""

from __future__ import annotations

import math


def duration(seconds: int | float) -> str:
    """Seconds for reading: `4.2 s`, `42 s`, `3 min 20 s`, `2 h 05 min`; a dash where not finite."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{int(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
