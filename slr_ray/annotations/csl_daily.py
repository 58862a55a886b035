"""CSL-Daily: `sentence_label/csl2020ct_v2.pkl` with `split_1.txt`, or STM files.

Zhou et al.: Improving Sign Language Translation with Monolingual Data by Sign Back-Translation,
CVPR 2021. The pickle has `info`, a list of `{name, length, label_gloss, label_char, signer, ...}`;
`split_1.txt` has lines `NAME|SPLIT`. STM files are those of SlowFastSign's and others' evaluation,
`csl-daily-groundtruth-dev.stm`. A name such as S000020_P0000_T00 tells sentence, signer and take.
Format after published loaders; not run on the corpus itself. Pictures are 30 a second.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from slr_ray.annotations.annotation import Annotation, Annotations, names_of, words_of
from slr_ray.annotations.pickles import read_pickle
from slr_ray.annotations.places import files_of
from slr_ray.annotations.stm import read_stm
from slr_ray.errors import DataError
from slr_ray.text import known, normal_name, read_lines

_FPS = 30.0
_NAME = re.compile(r"S\d+_(P\d+)_T\d+")
_PICKLE = re.compile(r"csl2020ct\w*\.pkl")
_STM = re.compile(r".*\.stm")
_PLACES = (".", "sentence_label")
_SPLITS = "split_1.txt"


def read_csl_daily(path: Path) -> Annotations:
    """The corpus's pickle or STM files, one of them or those of a folder."""
    read = Annotations(fps=_FPS)
    for file, split in files_of(path, _PLACES, _PICKLE, _STM):
        if file.suffix == ".stm":
            read_stm(file, split, read, lambda text: words_of(text) or ())
        else:
            _read(file, read)
    read.rows = [replace(row, signer=row.signer or signer_in(row.name)) for row in read.rows]
    read.check()
    return read


def signer_in(name: str) -> str | None:
    """The signer that a name of CSL-Daily tells, None where it is another name."""
    match = _NAME.fullmatch(name)
    return match[1] if match else None


def _read(file: Path, read: Annotations) -> None:
    content = read_pickle(file)
    entries = content.get("info") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise DataError(f"{file} is not CSL-Daily's: expected {{'info': [{{name, ...}}, ...]}}")
    splits = _splits(file.with_name(_SPLITS))
    if not splits:
        read.notes.append(f"no {_SPLITS} beside {file.name}: the splits are not known")
    for number, entry in enumerate(entries):
        name = normal_name(str(entry.get("name", "")))
        where = f"{file}, entry {number}"
        glosses = names_of(str(one) for one in entry.get("label_gloss") or ())
        if glosses is None:
            read.broken_entry(where, name, "it has no label_gloss")
            continue
        text = known("".join(str(one) for one in entry.get("label_char") or ()))
        read.add(Annotation(name, where, glosses, text=text, split=splits.get(name)))


def _splits(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    pairs = (line.partition("|")[::2] for line in read_lines(file))
    return {name.strip(): split.strip() for name, split in pairs if split and name != "name"}
