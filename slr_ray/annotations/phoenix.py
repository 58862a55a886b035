"""RWTH-PHOENIX-Weather 2014 and 2014-T: `annotations/manual/*.corpus.csv`, cells parted by bars.

2014 (Koller, Forster, Ney: Continuous sign language recognition, CVIU 2015) has
`id|folder|signer|annotation`, in the multi-signer and in the SI5 setting; its STM files are read,
too. 2014-T (Camgoz et al.: Neural Sign Language Translation, CVPR 2018) has
`name|video|start|end|speaker|orth|translation`. Both are published as folders of pictures, 25 a
second. Format after VIPL-SLP/VAC_CSLR's preprocessing and the published heads of the files; not run
on the corpora themselves. Glosses are cleaned, see `phoenix_glosses.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from slr_ray.annotations.annotation import Annotation, Annotations
from slr_ray.annotations.phoenix_glosses import PHOENIX14, PHOENIX14T, Cleaning
from slr_ray.annotations.places import files_of
from slr_ray.annotations.stm import read_stm
from slr_ray.errors import DataError
from slr_ray.text import known, read_lines

_FPS = 25.0
_CORPUS = re.compile(r"(?:.*\.)?(train|dev|test)(?:\.SI\d+)?\.corpus\.csv")
"""Leaves out 2014-T's `train-complex-annotation`: the same sentences, annotated otherwise."""
_STM = re.compile(r".*(train|dev|test).*\.stm")
_PLACES = (".", "annotations/manual", "manual", "*/annotations/manual")


def read_phoenix14(path: Path) -> Annotations:
    """One corpus or STM file, or all of a folder, which may be the corpus's own."""
    files = files_of(path, _PLACES, _CORPUS, _STM)
    read = Annotations(fps=_FPS)
    for file, split in files:
        if file.suffix == ".stm":
            read_stm(file, split, read, PHOENIX14.clean)
        else:
            _read(file, split, ("id", "folder", "signer", "annotation"), PHOENIX14, read)
    return _done(read)


def read_phoenix14t(path: Path) -> Annotations:
    """One corpus file, or all of a folder, which may be the corpus's own."""
    read = Annotations(fps=_FPS)
    for file, split in files_of(path, _PLACES, _CORPUS):
        columns = ("name", "video", "start", "end", "speaker", "orth", "translation")
        _read(file, split, columns, PHOENIX14T, read)
    return _done(read)


def _done(read: Annotations) -> Annotations:
    # 2014 calls one person Signer05 in its training set and signer05 in the others.
    read.rows = [replace(row, signer=(row.signer or "").lower() or None) for row in read.rows]
    read.notes.append("markers such as __ON__ are no glosses and left out; repeats are merged")
    read.check()
    return read


def _read(
    file: Path,
    split: str | None,
    columns: tuple[str, ...],
    cleaning: Cleaning,
    read: Annotations,
) -> None:
    heading, *lines = read_lines(file) or [""]
    if tuple(cell.strip() for cell in heading.split("|")) != columns:
        raise DataError(f"{file} begins with {heading[:80]!r}, expected {'|'.join(columns)}")
    named = _CORPUS.fullmatch(file.name)
    above = f"{named[1]}/" if named else ""
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        # No CSV: a quotation mark in a translation is only that.
        cells = [cell.strip() for cell in line.split("|")]
        where = f"{file}, line {number}"
        if len(cells) != len(columns):
            read.broken_entry(where, cells[0], f"{len(cells)} cells, expected {len(columns)}")
            continue
        row = dict(zip(columns, cells, strict=True))
        # Both releases name their columns in their own way, and in the same order.
        name, folder, *_ = cells
        annotated = row.get("annotation", row.get("orth", ""))
        glosses = cleaning.clean(annotated)
        if not glosses:
            read.broken_entry(where, name, f"no gloss is in its annotation {annotated!r}")
            continue
        read.add(
            Annotation(
                name,
                where,
                glosses,
                signer=known(row.get("signer", row.get("speaker"))),
                text=known(row.get("translation")),
                split=split,
                folder=above + folder.removesuffix("/*.png"),
            )
        )
