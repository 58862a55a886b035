"""The "action recognition" layout: GLOSS/SEQUENCE/FRAME.npy, one vector of landmarks a frame.

A vector of 1,662 numbers is MediaPipe Holistic's 33 pose landmarks x (x, y, z, visibility), 468
face landmarks x 3, 21 of the left hand x 3, 21 of the right x 3; zeros stand for a part that was
not detected. Many collections leave the face out: 258 numbers. The layout names no signer.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import (
    NUM_HAND_LANDMARKS,
    NUM_POSE_LANDMARKS,
    joints_from_holistic,
)

_POSE = NUM_POSE_LANDMARKS * 4
_HAND = NUM_HAND_LANDMARKS * 3
_FACE = 468 * 3
_FACE_BY_SIZE = {_POSE + _FACE + 2 * _HAND: _FACE, _POSE + 2 * _HAND: 0}


def open_source(path: Path, options: ImportOptions) -> Source:
    """A clip for each folder GLOSS/SEQUENCE; `DataError` where no such folder holds .npy files."""
    require_exists(path)
    folders = sorted({file.parent for file in path.glob("*/*/*.npy")}, key=_natural)
    if not folders:
        raise DataError(f"{str(path)!r} has no GLOSS/SEQUENCE/FRAME.npy below it")
    signer = [options.signer] if options.signer else []
    return Source(
        num_clips=len(folders),
        provenance={"extractor": "MediaPipe Holistic", "version": None, "settings": {}},
        items=[
            Item(clip_id, str(folder), partial(_read, folder, clip_id, options))
            for folder in folders
            # Recordings of several signers are imported one by one into one corpus, each of them
            # numbered from 0: the signer keeps their ids apart.
            for clip_id in ["/".join([*signer, folder.parent.name, folder.name])]
        ],
    )


def _natural(folder: Path) -> tuple[str, int, str]:
    number = int(folder.name) if folder.name.isdecimal() else -1
    return folder.parent.name, number, folder.name


def _read(folder: Path, clip_id: str, options: ImportOptions) -> Clip:
    files = list(folder.glob("*.npy"))
    strange = [file.name for file in files if not file.stem.isdecimal()]
    if strange:
        raise DataError(f"{strange[0]!r} is not named after a frame number")
    vectors = np.stack([_vector(file) for file in sorted(files, key=lambda one: int(one.stem))])
    hands = _POSE + _FACE_BY_SIZE[vectors.shape[1]]
    pose = vectors[:, :_POSE].reshape(-1, NUM_POSE_LANDMARKS, 4)
    left = vectors[:, hands : hands + _HAND].reshape(-1, NUM_HAND_LANDMARKS, 3)
    right = vectors[:, hands + _HAND :].reshape(-1, NUM_HAND_LANDMARKS, 3)
    positions, confidence = joints_from_holistic(
        pose[..., :2],
        pose[..., 3].clip(0, 1) * _detected(pose),
        left[..., :2],
        _detected(left),
        right[..., :2],
        _detected(right),
    )
    return Clip(
        clip_id=clip_id,
        gloss=folder.parent.name,
        signer=options.fallback_signer,
        fps=None,
        positions=positions,
        confidence=confidence,
    )


def _detected(landmarks: np.ndarray) -> np.ndarray:
    return np.asarray((landmarks[..., :2] != 0).any(axis=-1), np.float64)


def _vector(file: Path) -> np.ndarray:
    try:
        vector = np.asarray(np.load(file, allow_pickle=False), np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {file.name}: {error}") from None
    if vector.ndim != 1 or vector.size not in _FACE_BY_SIZE:
        sizes = " or ".join(str(size) for size in _FACE_BY_SIZE)
        raise DataError(f"{file.name} has shape {vector.shape}, expected {sizes} numbers")
    return vector
