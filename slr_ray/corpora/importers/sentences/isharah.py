"""Isharah's keypoints: pickles of 86 points a frame, and annotations `id|gloss|text`.

Alyami et al.: Isharah: A Large-Scale Multi-Scene Dataset for Continuous Sign Language Recognition,
2025, as given out for the MSLR challenge of that year (format after its starter kit,
gufranSabri/Pose86K-CSLR-Isharah; not run on the corpus itself). A pickle is
`{id: {'keypoints': frames x 86 x 2}}`: 21 points of the right hand, 21 of the left, 19 of the lips,
and landmarks 0 to 24 of MediaPipe's pose; zeros are what was not found. An id is SIGNER_SENTENCE.
Lips are not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slr_ray.annotations.annotation import Annotation, Annotations, split_in_name, words_of
from slr_ray.annotations.pickles import read_pickle
from slr_ray.corpora.importers.gloss_tree import files_below
from slr_ray.corpora.importers.missing import Landmarks
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.sentences.pickled import pickled_source
from slr_ray.corpora.importers.source import ImportOptions, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.landmarks import (
    NUM_HAND_LANDMARKS,
    NUM_POSE_LANDMARKS,
    joints_from_holistic,
)
from slr_ray.text import known, read_table

_POINTS = 86
_RIGHT, _LEFT = slice(0, NUM_HAND_LANDMARKS), slice(NUM_HAND_LANDMARKS, 2 * NUM_HAND_LANDMARKS)
_POSE = slice(61, _POINTS)
_SIGNER = re.compile(r"([^_]+)_.+")
_ANNOTATIONS = (".txt", ".csv")
_PICKLES = (".pkl", ".pickle")


def open_source(path: Path, options: ImportOptions) -> Source:
    """The pickles and the annotation files below a folder, joined by id."""
    require_exists(path)
    remarks = Remarks()
    return pickled_source(
        _annotations(path, remarks),
        _poses(path),
        (_POINTS, 2),
        _joints,
        {"extractor": "MediaPipe", "version": None, "settings": {"dataset": "Isharah"}},
        options,
        remarks,
    )


def _annotations(path: Path, remarks: Remarks) -> Annotations:
    read = Annotations()
    for file, name in files_below(path, "*"):
        if file.suffix.lower() not in _ANNOTATIONS:
            continue
        # No CSV: a quotation mark in a text is only that.
        columns, rows = read_table(file, quoted=False)
        if "id" not in columns:
            remarks.add("files without a column id, left out", str(name))
            continue
        if "gloss" not in columns:
            remarks.add("files that name clips without their glosses", str(name))
        split = split_in_name(file.name) or split_in_name(file.parent.name)
        for number, row in enumerate(rows, start=2):
            signer = _SIGNER.fullmatch(row["id"])
            read.add(
                Annotation(
                    row["id"],
                    f"{file}, line {number}",
                    words_of(row.get("gloss")),
                    signer=signer[1] if signer else None,
                    text=known(row.get("text")),
                    split=split,
                )
            )
    read.check()
    return read


def _poses(path: Path) -> dict[str, Any]:
    """Keypoints by id."""
    poses: dict[str, Any] = {}
    for file, _ in files_below(path, "*"):
        if file.suffix.lower() not in _PICKLES:
            continue
        content = read_pickle(file)
        if not isinstance(content, Mapping):
            raise DataError(f"{file} is not Isharah's: expected {{id: {{'keypoints': array}}}}")
        for clip_id, entry in content.items():
            if clip_id in poses:
                raise DataError(
                    f"{file} has {clip_id!r}, which another pickle has too: name the folder of one "
                    "task"
                )
            poses[clip_id] = entry.get("keypoints") if isinstance(entry, Mapping) else None
    return poses


def _joints(positions: np.ndarray, confidence: np.ndarray) -> Landmarks:
    left, right = ((positions[:, one], confidence[:, one]) for one in (_LEFT, _RIGHT))
    pose = np.zeros((len(positions), NUM_POSE_LANDMARKS, 2))
    sure = np.zeros((len(positions), NUM_POSE_LANDMARKS))
    num_given = _POINTS - _POSE.start
    pose[:, :num_given], sure[:, :num_given] = positions[:, _POSE], confidence[:, _POSE]
    return joints_from_holistic(pose, sure, *left, *right)
