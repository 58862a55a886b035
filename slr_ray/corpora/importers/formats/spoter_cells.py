"""A cell of SPOTER's CSV: a list of numbers, as the writers of today spell it."""

from __future__ import annotations

import json
import re

from slr_ray.errors import DataError
from slr_ray.text import known

_WRAPPED = re.compile(r"np\.float\d+\(([^)]*)\)")


def read_cell(text: str, name: str) -> list[float] | None:
    """A coordinate over frames, NaN where missing; None for a blank cell: not found at all.

    JSON, Python's and NumPy's way to print a list. `DataError` names the column where it is none.
    """
    inner = text.strip()
    if inner in ("[]", "()") or known(inner) is None:
        return None
    try:
        return [float(value) for value in json.loads(inner)]
    except (ValueError, TypeError, RecursionError):
        pass
    if inner[0] + inner[-1] in ("[]", "()"):
        numbers = _WRAPPED.sub(r"\1", inner[1:-1]).replace(",", " ").split()
        try:
            return [float("nan") if known(one) is None else float(one) for one in numbers]
        except ValueError:
            pass
    raise DataError(f"column {name} is not a list of numbers: {text!r:.40}")
