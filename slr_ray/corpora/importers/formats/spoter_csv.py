"""SPOTER's CSV: one row a clip, one column a joint coordinate, each cell a list over frames.

Columns (SPOTER release, `datasets/czech_slr_dataset.py`): `nose_X`, `nose_Y`, ..., hand joints as
`wrist_left_X`; `labels`, counted from 1; optionally `video_fps`. A coordinate of exactly 0 in x
marks a missing joint; so does a blank cell, for all frames. Other people's writers add names of
labels and signers, under several column names; those are used. What else a file has is told to the
user.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from slr_ray.corpora.importers.formats.spoter_cells import read_cell
from slr_ray.corpora.importers.formats.spoter_labels import Labels, label_number
from slr_ray.corpora.importers.missing import found
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import (
    ImportOptions,
    Item,
    Source,
    require_exists,
    usable_fps,
)
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.skeleton import HAND_JOINTS, INDEX, JOINTS
from slr_ray.text import Row, known, normal_name, open_table

_HAND_SUFFIX = {"_0": "_left", "_1": "_right"}
_ROWS_TO_ORIENT = 50
_LABELS = ("labels", "label", "label_id", "class_id", "gloss_id")
_NAMES = ("label_name", "label_names", "gloss", "gloss_name", "sign", "word", "class_name")
_SIGNERS = (
    "signer",
    "signer_id",
    "signerid",
    "signer_name",
    "participant_id",
    "participant",
    "person",
    "subject",
    "speaker",
    "user",
)
_FPS = ("video_fps", "fps", "frame_rate")
_SPLITS = ("split", "subset", "partition", "set")


def column(joint: str) -> str:
    """SPOTER's column of one of our joints, without `_X` or `_Y`: `wrist_0` is `wrist_left`."""
    suffix = _HAND_SUFFIX.get(joint[-2:])
    return joint if suffix is None else joint[:-2] + suffix


@dataclass(frozen=True)
class _Columns:
    """What a file calls the columns that are no coordinates, None where it has none."""

    label: str | None
    name: str | None
    signer: str | None
    fps: str | None

    def cell(self, row: Row, which: str | None) -> str:
        return row[which] if which else ""


def open_source(path: Path, options: ImportOptions) -> Source:
    """The clips of one CSV file; `DataError` where it is not SPOTER's format.

    All labels are read first, so that none without a name comes to light late. Some extractors put
    the origin at the bottom left (y grows upward). Where most noses of the first rows are below
    their necks, y is turned round, and the provenance says so.
    """
    require_exists(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder; spoter_csv is one CSV file")
    remarks = Remarks()
    labels = Labels()
    first: list[Row] = []
    num_clips = 0
    with open_table(path) as (names, rows):
        columns = _columns(path, names, remarks)
        for row in rows:
            num_clips += 1
            labels.add(columns.cell(row, columns.label), _name(row, columns))
            if len(first) < _ROWS_TO_ORIENT:
                first.append(row)
    y_up = _grows_upward(first)
    settings = {"y_axis": "upward in the source, turned round" if y_up else "downward"}
    glosses = labels.glosses(options, remarks)
    read = partial(_read, columns, options, y_up, remarks)
    return Source(
        num_clips=num_clips,
        provenance={"extractor": "unknown", "version": None, "settings": settings},
        items=_items(path, read, None if labels.are_names() else glosses),
        remarks=remarks,
    )


def _columns(path: Path, names: tuple[str, ...], remarks: Remarks) -> _Columns:
    wanted = {f"{column(joint)}_{axis}" for joint in JOINTS for axis in "XY"}
    hands = [{f"{joint}{suffix}_{axis}" for joint in HAND_JOINTS for axis in "XY"}
             for suffix in _HAND_SUFFIX.values()]  # fmt: skip
    missing = sorted(wanted - set(names))
    if not any(hand <= set(names) for hand in hands):
        raise DataError(
            f"{path} is not SPOTER's CSV: {len(missing)} of {len(wanted)} columns of coordinates "
            f"are missing, the first {missing[0]!r} (it has {', '.join(names[:6]) or 'none'})"
        )
    joints = sorted({name[:-2] for name in missing})
    if joints:
        remarks.add("joints without columns, taken as not found", *joints)
    columns = _Columns(*(_first(names, ours) for ours in (_LABELS, _NAMES, _SIGNERS, _FPS)))
    if columns.label is None and columns.name is None:
        remarks.add("there is no column 'labels': clips have no gloss")
    used = wanted | set(vars(columns).values())
    ignored = [name for name in names if name not in used]
    if ignored:
        remarks.add("columns ignored", *ignored)
    split = _first(tuple(ignored), _SPLITS)
    if split is not None:
        remarks.add(
            f"column {split!r} says which clips are for testing; to keep to it, write clip_id and "
            "split to a CSV file and train with split.kind=file"
        )
    return columns


def _first(names: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """The column with the foremost of the wanted names, whatever its case: "Signer ID" too."""
    by_name = {name.lower().replace(" ", "_"): name for name in names}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _name(row: Row, columns: _Columns) -> str:
    return normal_name(columns.cell(row, columns.name))


def _items(path: Path, read: partial[Clip], glosses: dict[int, str] | None) -> Iterator[Item]:
    with open_table(path) as (_, rows):
        for number, row in enumerate(rows, start=1):
            clip_id = f"{path.stem}/{number:06d}"
            yield Item(clip_id, f"{path}, row {number}", partial(read, row, clip_id, glosses))


def _read(
    columns: _Columns,
    options: ImportOptions,
    y_up: bool,
    remarks: Remarks,
    row: Row,
    clip_id: str,
    glosses: dict[int, str] | None,
) -> Clip:
    positions, confidence = _joints(row, y_up)
    gloss = _gloss(row, columns, options, glosses)
    if gloss is None and (columns.label or columns.name):
        remarks.add("clips whose label is blank, taken as clips without gloss", clip_id)
    fps = columns.cell(row, columns.fps)
    if known(fps) and usable_fps(fps) is None:
        remarks.add("clips whose frame rate is no number above 0, not used", clip_id)
    return Clip(
        clip_id=clip_id,
        gloss=gloss,
        signer=options.signer_or(columns.cell(row, columns.signer)),
        fps=options.fps_or(fps),
        positions=np.asarray(positions, np.float32),
        confidence=np.asarray(confidence, np.float32),
    )


def _gloss(
    row: Row, columns: _Columns, options: ImportOptions, glosses: dict[int, str] | None
) -> str | None:
    """`glosses` by number; None where the labels are names themselves."""
    name, label = _name(row, columns), columns.cell(row, columns.label)
    if glosses is None:
        return name or normal_name(label) or None
    number = label_number(label)
    if number is None or (name and options.glosses is None):
        return name or None
    return glosses[number]


def _joints(row: Row, y_up: bool) -> tuple[np.ndarray, np.ndarray]:
    cells = [
        [
            read_cell(row.get(name, ""), name)
            for name in (f"{column(joint)}_X", f"{column(joint)}_Y")
        ]
        for joint in JOINTS
    ]
    lengths = {len(cell) for pair in cells for cell in pair if cell is not None}
    if len(lengths) > 1:
        raise DataError(f"its columns have different numbers of frames: {sorted(lengths)[:5]}")
    frames = lengths.pop() if lengths else 0
    positions = np.zeros((frames, len(JOINTS), 2))
    for place, (x, y) in enumerate(cells):
        if x is not None and y is not None:
            positions[:, place, 0], positions[:, place, 1] = x, y
    # SPOTER's own mark: x alone tells.
    positions[positions[..., 0] == 0] = 0
    there, confidence = found(positions)
    if y_up:
        there[..., 1] = np.where(confidence > 0, 1 - there[..., 1], 0)
    return there, confidence


def _grows_upward(rows: list[Row]) -> bool:
    below = total = 0
    for row in rows:
        try:
            positions, confidence = _joints(row, y_up=False)
        except DataError:
            continue
        nose, neck = INDEX["nose"], INDEX["neck"]
        both = (confidence[:, nose] > 0) & (confidence[:, neck] > 0)
        below += int((positions[both, nose, 1] > positions[both, neck, 1]).sum())
        total += int(both.sum())
    return below > total / 2
