"""SPOTER's CSV: one row a clip, one column a joint coordinate, each cell a list over frames.

Columns (SPOTER release, `datasets/czech_slr_dataset.py`): `nose_X`, `nose_Y`, ..., hand joints as
`wrist_left_X`; `labels`, counted from 1; optionally `video_fps`. A coordinate of exactly 0 in x
marks a missing joint. The format names no signer.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.skeleton import INDEX, JOINTS

_HAND_SUFFIX = {"_0": "_left", "_1": "_right"}
_CELL_LIMIT = 2**31 - 1
_ROWS_TO_ORIENT = 50


def column(joint: str) -> str:
    """SPOTER's column of one of our joints, without `_X` or `_Y`: `wrist_0` is `wrist_left`."""
    suffix = _HAND_SUFFIX.get(joint[-2:])
    return joint if suffix is None else joint[:-2] + suffix


def open_source(path: Path, options: ImportOptions) -> Source:
    """The clips of one CSV file; `DataError` where it is not SPOTER's format.

    Some extractors put the origin at the bottom left (y grows upward). Where most noses of the
    first rows are below their necks, y is turned round, and the provenance says so.
    """
    require_exists(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder; spoter_csv is one CSV file")
    csv.field_size_limit(_CELL_LIMIT)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            _check_columns(path, reader.fieldnames or ())
            y_up = _grows_upward(list(islice(reader, _ROWS_TO_ORIENT)))
        with path.open("rb") as lines:
            num_clips = sum(1 for line in lines if line.strip()) - 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path} as CSV: {error}") from None
    settings = {"y_axis": "upward in the source, turned round" if y_up else "downward"}
    return Source(
        num_clips=num_clips,
        provenance={"extractor": "unknown", "version": None, "settings": settings},
        items=_items(path, options, y_up),
    )


def _items(path: Path, options: ImportOptions, y_up: bool) -> Iterator[Item]:
    with path.open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=1):
            clip_id = f"{path.stem}/{number:06d}"
            read = partial(_read, row, clip_id, options, y_up)
            yield Item(clip_id, f"{path}, row {number}", read)


def _read(row: dict[str, str], clip_id: str, options: ImportOptions, y_up: bool) -> Clip:
    coordinates = [
        [_cell(row, f"{column(joint)}_{axis}") for axis in ("X", "Y")] for joint in JOINTS
    ]
    lengths = {len(cell) for pair in coordinates for cell in pair}
    if len(lengths) != 1:
        raise DataError(f"its columns have different numbers of frames: {sorted(lengths)[:5]}")
    positions = np.asarray(coordinates, np.float32).transpose(2, 0, 1)
    found = positions[..., 0] != 0
    if y_up:
        positions[..., 1] = 1 - positions[..., 1]
    positions = np.where(found[..., None], positions, np.float32(0))
    return Clip(
        clip_id=clip_id,
        gloss=_gloss(row["labels"], options.glosses),
        signer=options.fallback_signer,
        fps=_fps(row.get("video_fps")),
        positions=positions,
        confidence=found.astype(np.float32),
    )


def _cell(row: dict[str, str], name: str) -> list[float]:
    try:
        values = json.loads(row[name] or "")
        return [float(value) for value in values]
    except (ValueError, TypeError):
        raise DataError(f"column {name} is not a list of numbers: {row[name]!r:.40}") from None


def _gloss(label: str | None, glosses: tuple[str, ...] | None) -> str:
    try:
        number = int(float(label or ""))
    except ValueError:
        raise DataError(f"label {label!r} is not a number") from None
    if glosses is None:
        return str(number)
    if not 1 <= number <= len(glosses):
        raise DataError(
            f"label {number} has no name: the glosses file names 1 to {len(glosses)}, one a line"
        )
    return glosses[number - 1]


def _fps(text: str | None) -> float | None:
    try:
        fps = float(text or "")
    except ValueError:
        return None
    return fps if fps > 0 else None


def _check_columns(path: Path, names: Sequence[str]) -> None:
    wanted = [f"{column(joint)}_{axis}" for joint in JOINTS for axis in ("X", "Y")]
    missing = [name for name in (*wanted, "labels") if name not in names]
    if missing:
        raise DataError(
            f"{path} is not SPOTER's CSV: {len(missing)} of {len(wanted) + 1} columns are missing, "
            f"the first {missing[0]!r} (it has {', '.join(names[:6]) or 'none'})"
        )


def _grows_upward(rows: list[dict[str, str]]) -> bool:
    below = total = 0
    for row in rows:
        try:
            clip = _read(row, "", ImportOptions(), y_up=False)
        except DataError:
            continue
        nose, neck = INDEX["nose"], INDEX["neck"]
        both = (clip.confidence[:, nose] > 0) & (clip.confidence[:, neck] > 0)
        below += int((clip.positions[both, nose, 1] > clip.positions[both, neck, 1]).sum())
        total += int(both.sum())
    return below > total / 2
