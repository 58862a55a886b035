"""A split that a file gives, such as a benchmark's official one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64
from pydantic import field_validator

from slr_ray.config import Config
from slr_ray.corpora.corpus import Corpus
from slr_ray.errors import DataError
from slr_ray.storage import absolute
from slr_ray.text import normal_name, read_table, split_name

_NAMES = ("training", "validation", "test")
_WITHOUT_VALIDATION = (
    ": name a few training clips so. They train all the same with training.with_validation=true "
    "training.keep=last, where nothing chooses by them"
)


class FileSplitConfig(Config):
    """As a file says, such as a benchmark's official split."""

    kind: Literal["file"] = "file"
    path: Path
    """CSV or Parquet with columns clip_id and split (training, validation, test, or what people
    call them: train, val, valid, dev; in any case)."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return Path(absolute(str(path)))


@dataclass(frozen=True)
class Listed:
    """What a split file says of a corpus."""

    sets: list[Int64[np.ndarray, " _"]]
    """Training, validation and test clips."""
    num_absent: int
    """Clips of the file that the corpus does not have: an official split lists every video, and
    some can't be had."""


def by_file(corpus: Corpus, path: Path) -> Listed:
    """Training, validation and test clips as the file says.

    Raises `DataError` where it is unreadable, lists no clip of the corpus, or none for one of them.
    """
    numbers = {
        normal_name(clip_id): index for index, clip_id in enumerate(corpus.clip_ids.to_pylist())
    }
    # An official split lists the clips of all glosses, `data.glosses` or not.
    every = {normal_name(clip_id) for clip_id in corpus.all_clip_ids.to_pylist()}
    sets: dict[str, list[int]] = {name: [] for name in _NAMES}
    seen: set[str] = set()
    absent: list[str] = []
    for clip_id, name in _rows(path):
        chosen = split_name(name)
        if chosen is None:
            raise DataError(
                f"{path}: clip {clip_id!r} has split {name!r}; there are training (or train), "
                "validation (or val, valid, dev) and test"
            )
        if clip_id in seen:
            raise DataError(f"{path}: clip {clip_id!r} is listed twice")
        seen.add(clip_id)
        if clip_id not in every:
            absent.append(clip_id)
        if clip_id not in numbers:
            continue
        if chosen != "training" and not corpus.is_labelled[numbers[clip_id]]:
            raise DataError(f"{path}: clip {clip_id!r} is in {chosen} but has no gloss")
        sets[chosen].append(numbers[clip_id])
    if absent and len(absent) == len(seen):
        raise DataError(
            f"{path}: none of its {len(seen):,} clips is in {corpus.name}: its first is "
            f"{absent[0]!r}, the data's {corpus.clip_ids[0].as_py()!r}"
        )
    for name, found in sets.items():
        if not found:
            hint = _WITHOUT_VALIDATION if name == "validation" else ""
            raise DataError(f"{path} puts no clip into {name}{hint}")
    return Listed([np.array(sets[name], np.int64) for name in _NAMES], len(absent))


def _rows(path: Path) -> Iterable[tuple[str, str]]:
    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
            columns: Sequence[str] = table.column_names
            rows = table.to_pylist() if {"clip_id", "split"} <= set(columns) else []
        else:
            columns, rows = read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read the split file {path}: {error}") from None
    missing = {"clip_id", "split"} - set(columns)
    if missing:
        raise DataError(
            f"{path} has no column {' and '.join(sorted(missing))} "
            f"(it has {', '.join(sorted(columns)) or 'none'})"
        )
    return [(normal_name(str(row["clip_id"])), str(row["split"])) for row in rows]
