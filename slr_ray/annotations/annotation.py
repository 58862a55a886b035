"""What is known of one sentence before its poses are there, and what a file says of many."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from slr_ray.errors import DataError
from slr_ray.poses.shards import Skipped
from slr_ray.text import normal_name, split_name

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Annotation:
    """A sentence by the name of its clip."""

    name: str
    origin: str
    """The file, and the line in it, for messages."""
    glosses: tuple[str, ...] | None
    """None where the file does not tell them, as for a hidden test set."""
    signer: str | None = None
    text: str | None = None
    split: str | None = None
    folder: str | None = None
    """Where the pictures are, below those of the corpus, its own word for the split included."""
    times_ms: tuple[tuple[float, float], ...] | None = None
    """Start and end of each gloss in milliseconds."""
    length_ms: float | None = None
    """Of the recording that the times were taken on; None where the file does not say."""


@dataclass
class Annotations:
    """The sentences of a source, in its order, and the entries that are none."""

    rows: list[Annotation] = field(default_factory=list)
    broken: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """How the source was understood, for the user."""
    fps: float | None = None
    """Of the published pictures, a second; None where the format does not say."""

    def add(self, row: Annotation) -> None:
        """Keep a sentence; one whose glosses or times can't be is broken."""
        reason = _problem(row)
        if reason:
            self.broken_entry(row.origin, row.name, reason)
        else:
            self.rows.append(row)

    def broken_entry(self, origin: str, name: str, reason: str) -> None:
        self.broken.append(Skipped(origin, name, reason))

    def splits(self) -> dict[str, str]:
        """The corpus's own split by name, of those for which it has one."""
        return {row.name: row.split for row in self.rows if row.split}

    def check(self) -> None:
        """`DataError` where nothing is there, or where two entries have one name."""
        if not (self.rows or self.broken):
            raise DataError("the annotations name no sentence")
        seen: dict[str, str] = {}
        for row in self.rows:
            if row.name in seen:
                raise DataError(
                    f"sentence {row.name!r} is there twice: {seen[row.name]} and {row.origin}. "
                    "Name one file, or the folder of one setting"
                )
            seen[row.name] = row.origin


def split_in_name(name: str) -> str | None:
    """The split that a file's name speaks of, such as `SI_train.txt` or `x-groundtruth-dev.stm`."""
    words = (split_name(word) for word in _WORD.findall(name))
    return next((word for word in words if word), None)


def names_of(glosses: Iterable[str]) -> tuple[str, ...] | None:
    """Glosses in their normal form, None where none is there."""
    return tuple(normal_name(one) for one in glosses) or None


def words_of(text: str | None) -> tuple[str, ...] | None:
    """Glosses that spaces part, None where there is none; one may be called NONE or nan."""
    return names_of((text or "").split())


def _problem(row: Annotation) -> str | None:
    if not row.name:
        return "it has no name"
    if row.times_ms is None:
        return None
    if len(row.times_ms) != len(row.glosses or ()):
        return f"it has {len(row.glosses or ())} glosses, but times of {len(row.times_ms)}"
    for gloss, (start, end) in zip(row.glosses or (), row.times_ms, strict=True):
        if not (math.isfinite(start) and math.isfinite(end)):
            return f"gloss {gloss!r} at {start:g} to {end:g} ms: expected numbers"
        if end <= start:
            return f"gloss {gloss!r} at {start:g} to {end:g} ms ends before it starts"
    return None
