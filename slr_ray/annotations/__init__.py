"""What corpora of continuous signing say of their sentences, one file a format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slr_ray.annotations import csl_daily, gloss_table, phoenix
from slr_ray.annotations.annotation import Annotations

READERS: dict[str, Callable[[Path], Annotations]] = {
    "phoenix14": phoenix.read_phoenix14,
    "phoenix14t": phoenix.read_phoenix14t,
    "csl_daily": csl_daily.read_csl_daily,
    "gloss_table": gloss_table.read_gloss_table,
}
"""Formats that name sentences and hold no poses, by the name that the command line takes."""
