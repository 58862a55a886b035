"""Landmark files of Google's Isolated Sign Language Recognition (`asl-signs`).

One Parquet file a clip, one row a landmark: `frame`, `type` (face, pose, left_hand, right_hand),
`landmark_index`, `x`, `y`, NaN where missing. `train.csv` (`path`, `participant_id`, `sign`) names
signer and gloss. Without it clips have no gloss, and the signer is the folder that a file lies in:
the original layout is `train_landmark_files/PARTICIPANT/SEQUENCE.parquet`. The files carry no
confidence: a landmark that is there counts 1.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.corpora.importers.gloss_tree import files_below
from slr_ray.corpora.importers.missing import found, frame_rows, spread
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import (
    NUM_HAND_LANDMARKS,
    NUM_POSE_LANDMARKS,
    joints_from_holistic,
)
from slr_ray.text import read_table

_FILES = "train_landmark_files"
_COLUMNS = {
    "frame": pa.int64(),
    "type": pa.string(),
    "landmark_index": pa.int64(),
    "x": pa.float64(),
    "y": pa.float64(),
}
_LISTED = ("path", "participant_id", "sign")
_NUM_LANDMARKS = {
    "pose": NUM_POSE_LANDMARKS,
    "left_hand": NUM_HAND_LANDMARKS,
    "right_hand": NUM_HAND_LANDMARKS,
}


def open_source(path: Path, options: ImportOptions) -> Source:
    """The files that `train.csv` lists, or every Parquet file below `path` where there is none."""
    require_exists(path)
    remarks = Remarks()
    listing = path / "train.csv"
    is_listed = listing.is_file()
    items = (_listed if is_listed else _found)(path, options, remarks)
    if not items:
        raise DataError(f"{str(path)!r} has no train.csv and no .parquet file below it")
    if not is_listed:
        above = path.resolve().parent
        remarks.add(
            "there is no train.csv, so no clip has a gloss"
            + (f": give {str(above)!r}, which has one" if (above / "train.csv").is_file() else "")
        )
    return Source(
        num_clips=len(items),
        provenance={
            "extractor": "MediaPipe Holistic",
            "version": None,
            "settings": {"dataset": "asl-signs"},
        },
        items=items,
        remarks=remarks,
    )


def _listed(folder: Path, options: ImportOptions, remarks: Remarks) -> list[Item]:
    listing = folder / "train.csv"
    columns, rows = read_table(listing)
    if "path" not in columns:
        raise DataError(f"{listing} has no column 'path' (it has {', '.join(columns[:8])})")
    for column, meaning in (("sign", "gloss"), ("participant_id", "signer")):
        if column not in columns:
            remarks.add(f"train.csv has no column {column!r}: it names no {meaning}")
    ignored = [one for one in columns if one not in (*_LISTED, "sequence_id")]
    if ignored:
        remarks.add("columns of train.csv ignored", *ignored)
    items = []
    names = set()
    for number, row in enumerate(rows, start=1):
        name, file = _located(folder, row["path"])
        names.add(name)
        clip_id = _clip_id(name) if file else f"row {number}"
        signer = options.signer_or(row.get("participant_id"))
        read = partial(_read, file, clip_id, row.get("sign"), signer, options, remarks)
        items.append(Item(clip_id, str(file or f"{listing}, row {number}"), read))
    unlisted = [str(name) for _, name in files_below(folder, "*.parquet") if name not in names]
    if unlisted:
        remarks.add("files that train.csv does not list, left out", *unlisted)
    return items


def _located(folder: Path, text: str) -> tuple[PurePosixPath, Path | None]:
    """The file of a path in the listing, and its path below the folder; None where it is blank.

    Notebooks write absolute paths of their own machine, so that a path may fit with its end only.
    """
    path = PurePosixPath(text.replace("\\", "/"))
    parts = [part for part in path.parts if part not in (path.anchor, "..")]
    for start in range(len(parts)):
        name = PurePosixPath(*parts[start:])
        if (folder / name).is_file():
            return name, folder / name
    name = PurePosixPath(*parts)
    return name, folder / name if parts else None


def _found(folder: Path, options: ImportOptions, remarks: Remarks) -> list[Item]:
    items = []
    for file, name in files_below(folder, "*.parquet"):
        clip_id = _clip_id(name)
        signer = options.signer_or(name.parent.name if name.parent.name != _FILES else None)
        read = partial(_read, file, clip_id, None, signer, options, remarks)
        items.append(Item(clip_id, str(file), read))
    return items


def _clip_id(name: PurePosixPath) -> str:
    return name.as_posix().removesuffix(".parquet").removeprefix(f"{_FILES}/")


def _read(
    file: Path | None,
    clip_id: str,
    gloss: str | None,
    signer: str | None,
    options: ImportOptions,
    remarks: Remarks,
) -> Clip:
    if file is None:
        raise DataError("its path is blank")
    frame, kind, landmark, x, y = _columns_of(file)
    numbers, at = np.unique(frame, return_inverse=True)
    rows = frame_rows(numbers, clip_id, remarks)
    parts: list[np.ndarray] = []
    for part, num_landmarks in _NUM_LANDMARKS.items():
        chosen = kind == part
        index = landmark[chosen]
        strange = index[(index < 0) | (index >= num_landmarks)]
        if strange.size:
            raise DataError(f"{part} has landmark {strange[0]}, expected 0 to {num_landmarks - 1}")
        if len(np.unique(at[chosen] * num_landmarks + index)) < len(index):
            raise DataError(f"a landmark of {part} comes twice in one frame: is it one clip?")
        positions = np.zeros((len(numbers), num_landmarks, 2))
        positions[at[chosen], index] = np.stack([x[chosen], y[chosen]], axis=-1)
        parts += found(spread(positions, rows))
    return Clip(clip_id, gloss, signer, options.fps, *joints_from_holistic(*parts))


def _columns_of(file: Path) -> list[np.ndarray]:
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read(columns=list(_COLUMNS))
    except FileNotFoundError:
        raise DataError("no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"it is not a Parquet file: {error}") from None
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise DataError(f"it is no landmark file: column {', '.join(missing)} missing")
    arrays = []
    for name, kind in _COLUMNS.items():
        try:
            column = table.column(name).cast(kind)
        except pa.ArrowException as error:
            raise DataError(f"it is no landmark file: column {name!r}: {error}") from None
        if column.null_count and not pa.types.is_floating(kind):
            raise DataError(
                f"it is no landmark file: column {name!r} has {column.null_count} blanks"
            )
        arrays.append(column.to_numpy())
    return arrays
