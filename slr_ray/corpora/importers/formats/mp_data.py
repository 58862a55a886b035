"""The "action recognition" layout: GLOSS/SEQUENCE/FRAME.npy, one vector of landmarks a frame.

A vector of 1,662 numbers is MediaPipe Holistic's 33 pose landmarks x (x, y, z, visibility), 468
face landmarks x 3, 21 of the left hand x 3, 21 of the right x 3. The refined face has 478 landmarks
(1,692 numbers; what MediaPipe's Holistic task gives). Many collections leave out the face, the
visibility or all but the hands. A sequence may also be one array, GLOSS/SEQUENCE.npy. The layout
names no signer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from slr_ray.corpora.importers.arrays import read_array
from slr_ray.corpora.importers.gloss_tree import files_below, glosses
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
from slr_ray.text import is_sidecar, normal_name

_HAND = NUM_HAND_LANDMARKS * 3
_SUFFIX = ".npy"
_NUMBER = re.compile(r"(\d+)$")


@dataclass(frozen=True)
class _Vector:
    """What a frame's numbers are: pose landmarks x `pose`, then the face, then the hands."""

    pose: int
    face: int

    @property
    def size(self) -> int:
        return NUM_POSE_LANDMARKS * self.pose + self.face * 3 + 2 * _HAND


_VECTORS = {
    one.size: one
    for one in (
        *(_Vector(pose, face) for face in (468, 478, 0) for pose in (4, 3)),
        _Vector(0, 0),
    )
}


def open_source(path: Path, options: ImportOptions) -> Source:
    """A clip for each folder GLOSS/SEQUENCE and each GLOSS/SEQUENCE.npy.

    `DataError` where there is none. Arrays at another depth and folders without any are told to the
    user.
    """
    require_exists(path)
    remarks = Remarks()
    clips, elsewhere = _clips(path)
    if not clips:
        example = f"; the first array is {elsewhere[0]}" if elsewhere else ""
        raise DataError(
            f"{str(path)!r} has no GLOSS/SEQUENCE/FRAME.npy and no GLOSS/SEQUENCE.npy below it"
            f"{example}. Name the folder that holds the glosses"
        )
    if elsewhere:
        remarks.add("left out, as it is not GLOSS/SEQUENCE", *elsewhere)
    empty = _empty(path)
    if empty:
        remarks.add("left out, as it holds no array", *empty)
    signer = [normal_name(options.signer)] if options.signer else []
    names = glosses(list(clips), remarks)
    return Source(
        num_clips=len(clips),
        provenance={"extractor": "MediaPipe Holistic", "version": None, "settings": {}},
        items=[
            Item(
                clip_id,
                str(path / name),
                partial(_read, files, name.suffix != _SUFFIX, clip_id, gloss, options, remarks),
            )
            for (name, files), gloss in zip(clips.items(), names, strict=True)
            # Recordings of several signers are imported one by one into one corpus, each of them
            # numbered from 0: the signer keeps their ids apart.
            for clip_id in ["/".join([*signer, name.parent.name, name.name.removesuffix(_SUFFIX)])]
        ],
        remarks=remarks,
    )


def _clips(path: Path) -> tuple[dict[PurePosixPath, list[Path]], list[str]]:
    """Files by clip, GLOSS/SEQUENCE or GLOSS/SEQUENCE.npy, and where other arrays lie."""
    clips: dict[PurePosixPath, list[Path]] = {}
    elsewhere: dict[str, None] = {}
    for file, name in files_below(path, f"*{_SUFFIX}"):
        if len(name.parts) == 3:
            clips.setdefault(name.parent, []).append(file)
        elif len(name.parts) == 2:
            clips[name] = [file]
        elif name.suffix == _SUFFIX:
            elsewhere[name.parent.as_posix() if len(name.parts) > 1 else name.as_posix()] = None
    return dict(sorted(clips.items(), key=lambda one: _natural(one[0]))), list(elsewhere)


def _empty(path: Path) -> list[str]:
    """Folders that hold neither an array nor a folder; folders of operating systems do not count.

    A recorder makes the folders of all sequences first, and whoever stops it leaves empty ones.
    """
    names = []
    for folder in sorted(one for one in path.rglob("*") if one.is_dir()):
        name = folder.relative_to(path)
        inside = [one for one in folder.iterdir() if not is_sidecar(one.relative_to(path))]
        if not is_sidecar(name) and not any(
            one.is_dir() or one.suffix == _SUFFIX for one in inside
        ):
            names.append(name.as_posix())
    return names


def _natural(clip: PurePosixPath) -> tuple[str, int, str]:
    name = clip.name.removesuffix(_SUFFIX)
    return clip.parent.name, int(name) if name.isdecimal() else -1, name


def _read(
    files: list[Path],
    is_folder: bool,
    clip_id: str,
    gloss: str | None,
    options: ImportOptions,
    remarks: Remarks,
) -> Clip:
    if len(files) == 1 and (vectors := read_array(files[0])).ndim == 2:
        _check_size(vectors.shape[1], files[0])
    elif is_folder:
        numbered = sorted((_number(file), file) for file in files)
        rows = frame_rows(np.array([number for number, _ in numbered]), clip_id, remarks)
        vectors = spread(_stacked([file for _, file in numbered]), rows)
    else:
        raise DataError(
            f"it has shape {vectors.shape}, expected frames x numbers. If it is one frame of a "
            "sequence, name the folder above the one that was given"
        )
    positions, confidence = joints_from_holistic(*_landmarks(vectors))
    return Clip(clip_id, gloss, options.fallback_signer, options.fps, positions, confidence)


def _landmarks(vectors: np.ndarray) -> tuple[np.ndarray, ...]:
    layout = _VECTORS[vectors.shape[1]]
    end = NUM_POSE_LANDMARKS * layout.pose
    hands = end + layout.face * 3
    if layout.pose:
        pose = vectors[:, :end].reshape(-1, NUM_POSE_LANDMARKS, layout.pose)
    else:
        pose = np.zeros((len(vectors), NUM_POSE_LANDMARKS, 3))
    left = vectors[:, hands : hands + _HAND].reshape(-1, NUM_HAND_LANDMARKS, 3)
    right = vectors[:, hands + _HAND :].reshape(-1, NUM_HAND_LANDMARKS, 3)
    return (
        *found(pose[..., :2], pose[..., 3] if layout.pose == 4 else None),
        *found(left[..., :2]),
        *found(right[..., :2]),
    )


def _stacked(files: list[Path]) -> np.ndarray:
    vectors = [_vector(file) for file in files]
    odd = next((one for one, vector in enumerate(vectors) if vector.size != vectors[0].size), None)
    if odd is not None:
        raise DataError(
            f"{files[odd].name} has {vectors[odd].size} numbers, but {files[0].name} has "
            f"{vectors[0].size}: the frames of a sequence must be of one layout"
        )
    return np.stack(vectors)


def _vector(file: Path) -> np.ndarray:
    vector = read_array(file)
    if vector.ndim != 1:
        raise DataError(f"{file.name} has shape {vector.shape}, expected the numbers of one frame")
    _check_size(vector.size, file)
    return vector


def _check_size(size: int, file: Path) -> None:
    if size not in _VECTORS:
        sizes = ", ".join(str(one) for one in _VECTORS)
        raise DataError(f"{file.name} has shape ({size},) a frame, expected {sizes} numbers")


def _number(file: Path) -> int:
    number = _NUMBER.search(file.stem)
    if number is None:
        raise DataError(f"{file.name!r} does not end in a frame number")
    return int(number[1])
