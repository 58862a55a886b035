"""Sentences whose poses are in pickles, under the names that the annotations use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from slr_ray.annotations.annotation import Annotation, Annotations
from slr_ray.annotations.pickles import as_array
from slr_ray.corpora.importers.missing import Landmarks, found
from slr_ray.corpora.importers.pixels import fractions
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Item, Source, broken_item
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shards import Skipped


def pickled_source(
    annotations: Annotations,
    poses: Mapping[str, Any],
    points: tuple[int, int],
    joints: Callable[..., Landmarks],
    provenance: dict[str, Any],
    options: ImportOptions,
    remarks: Remarks,
) -> Source:
    """The annotated clips. `points` are those of a frame and the numbers of each: x, y, and score.

    `joints` makes ours of positions and confidence. `DataError` where there are no keypoints.
    """
    if not poses:
        raise DataError("no keypoints are there, only annotations")
    for note in annotations.notes:
        remarks.add(note)
    others = poses.keys() - {row.name for row in annotations.rows}
    if others:
        remarks.add("keypoints that no annotation names, left out", *sorted(others))

    def items() -> Iterator[Item]:
        for entry in annotations.broken:
            yield broken_item(entry)
        for row in annotations.rows:
            if row.name not in poses:
                reason = "it has no poses: no pickle has its keypoints"
                yield broken_item(Skipped(row.origin, row.name, reason))
                continue
            read = partial(_read, row, poses[row.name], points, joints, options)
            yield Item(row.name, row.origin, read)

    return Source(
        num_clips=len(annotations.rows) + len(annotations.broken),
        provenance=provenance,
        items=items(),
        remarks=remarks,
        splits=annotations.splits(),
    )


def _read(
    row: Annotation,
    keypoints: Any,
    points: tuple[int, int],
    joints: Callable[..., Landmarks],
    options: ImportOptions,
) -> Clip:
    array = as_array(keypoints)
    if array is None or array.ndim != 3 or array.shape[1:] != points:
        shape = "no array" if array is None else f"an array of shape {array.shape}"
        raise DataError(f"its keypoints are {shape}, expected frames x {points[0]} x {points[1]}")
    scores = array[..., 2] if points[1] == 3 else None
    positions, confidence = joints(*found(array[..., :2], scores))
    positions = fractions(positions, confidence, options.picture_size)
    return Clip(
        row.name,
        None,
        options.signer_or(row.signer),
        options.fps,
        positions.astype(np.float32),
        confidence,
        sentence=None if row.glosses is None else Sentence(row.glosses, text=row.text),
    )
