"""Landmark files of Google's Isolated Sign Language Recognition (`asl-signs`).

One Parquet file a clip, one row a landmark: `frame`, `type` (face, pose, left_hand, right_hand),
`landmark_index`, `x`, `y`, NaN where missing. `train.csv` (`path`, `participant_id`, `sign`) names
signer and gloss. Without it clips have no gloss, and the signer is the folder that a file lies in:
the original layout is `train_landmark_files/PARTICIPANT/SEQUENCE.parquet`. The files carry no
confidence: a landmark that is there counts 1.
"""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import (
    NUM_HAND_LANDMARKS,
    NUM_POSE_LANDMARKS,
    joints_from_holistic,
)

_FILES = "train_landmark_files"
_COLUMNS = ("frame", "type", "landmark_index", "x", "y")
_NUM_LANDMARKS = {
    "pose": NUM_POSE_LANDMARKS,
    "left_hand": NUM_HAND_LANDMARKS,
    "right_hand": NUM_HAND_LANDMARKS,
}


def open_source(path: Path, options: ImportOptions) -> Source:
    """The files that `train.csv` lists, or every Parquet file below `path` where there is none."""
    require_exists(path)
    listing = path / "train.csv"
    items = _listed(path, listing) if listing.is_file() else _found(path, options)
    if not items:
        raise DataError(f"{str(path)!r} has no train.csv and no .parquet file below it")
    return Source(
        num_clips=len(items),
        provenance={
            "extractor": "MediaPipe Holistic",
            "version": None,
            "settings": {"dataset": "asl-signs"},
        },
        items=items,
    )


def _listed(folder: Path, listing: Path) -> list[Item]:
    items = []
    try:
        with listing.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                file = folder / row["path"]
                clip_id = _clip_id(folder, file)
                read = partial(_read, file, clip_id, row["sign"], row["participant_id"])
                items.append(Item(clip_id, str(file), read))
    except KeyError as error:
        raise DataError(f"{listing} has no column {error.args[0]!r}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {listing}: {error}") from None
    return items


def _found(folder: Path, options: ImportOptions) -> list[Item]:
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.parquet"))
    root = folder.parent if folder.is_file() else folder
    items = []
    for file in files:
        clip_id = _clip_id(root, file)
        has_folder = file.parent != root and file.parent.name != _FILES
        signer = file.parent.name if has_folder else options.fallback_signer
        items.append(Item(clip_id, str(file), partial(_read, file, clip_id, None, signer)))
    return items


def _clip_id(folder: Path, file: Path) -> str:
    name = file.relative_to(folder).with_suffix("").as_posix()
    return name.removeprefix(f"{_FILES}/")


def _read(file: Path, clip_id: str, gloss: str | None, signer: str) -> Clip:
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
    kind, frame, landmark, x, y = (
        table.column(name).to_numpy() for name in ("type", "frame", "landmark_index", "x", "y")
    )
    numbers, at = np.unique(frame, return_inverse=True)
    parts = {}
    for part, num_landmarks in _NUM_LANDMARKS.items():
        rows = kind == part
        index = landmark[rows].astype(np.int64)
        if index.size and (index.min() < 0 or index.max() >= num_landmarks):
            raise DataError(f"{part} has landmark {index.max()}, expected 0 to {num_landmarks - 1}")
        positions = np.full((len(numbers), num_landmarks, 2), np.nan)
        positions[at[rows], index] = np.stack([x[rows], y[rows]], axis=-1)
        parts[part] = (positions, np.isfinite(positions).all(axis=-1).astype(np.float64))
    positions, confidence = joints_from_holistic(
        *parts["pose"], *parts["left_hand"], *parts["right_hand"]
    )
    return Clip(clip_id, gloss, signer, None, positions, confidence)
