"""STM, the references of NIST's sclite: `NAME CHANNEL SIGNER START END GLOSSES`, a line each.

PHOENIX's and CSL-Daily's evaluation scripts write them with 0.0 and the largest number for a clip
that is one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slr_ray.annotations.annotation import Annotation, Annotations
from slr_ray.text import known, read_lines

_FEWEST = 5


def read_stm(
    file: Path,
    split: str | None,
    read: Annotations,
    clean: Callable[[str], tuple[str, ...]],
) -> None:
    """Add the sentences of a file; `clean` makes glosses of what stands behind the times."""
    for number, line in enumerate(read_lines(file), start=1):
        if not line or line.startswith(";;"):
            continue
        where = f"{file}, line {number}"
        cells = line.split(" ", _FEWEST)
        if len(cells) <= _FEWEST or not _is_whole(cells[3]):
            reason = "expected NAME CHANNEL SIGNER 0.0 END GLOSSES"
            read.broken_entry(where, cells[0], reason)
            continue
        name, _, signer, _, _, annotated = cells
        if not (glosses := clean(annotated)):
            read.broken_entry(where, name, f"no gloss is in its annotation {annotated!r}")
            continue
        person = None if signer.lower() == "unknown" else known(signer)
        read.add(Annotation(name, where, glosses, signer=person, split=split))


def _is_whole(start: str) -> bool:
    """Whether a sentence begins with its clip; parts of recordings are another format."""
    try:
        return float(start) == 0
    except ValueError:
        return False
