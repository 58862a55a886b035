"""Whole-body points in NumPy's files, with their axes put in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from slr_ray.corpora.importers.arrays import read_arrays
from slr_ray.corpora.importers.formats.wholebody import HANDS
from slr_ray.corpora.importers.people import People
from slr_ray.errors import DataError

_SCORES = ("scores", "keypoint_scores", "keypoint_score", "keypoints_score", "confidence")
_LOWEST_SCORE = -1.0
"""What is below is a coordinate."""


def people_of_arrays(file: Path) -> People:
    """The people of a .npy or .npz file."""
    arrays = read_arrays(file)
    scores = next((arrays.pop(name) for name in _SCORES if name in arrays), None)
    fitting = [one for one in map(_in_order, arrays.values()) if one is not None]
    if len(fitting) != 1:
        shapes = ", ".join(f"{name} {array.shape}".strip() for name, array in arrays.items())
        raise DataError(
            f"{file.name} holds {shapes or 'no array'}; expected one of frames x 133 or 136 points "
            "x (x, y, confidence)"
        )
    points = fitting[0]
    if points.shape[-1] == 2:
        sure = np.ones(points.shape[:-1]) if scores is None else _scores(scores, points, file)
        points = np.concatenate([points, sure[..., None]], axis=-1)
    lowest, highest = (one(points[..., 2], initial=0) for one in (np.nanmin, np.nanmax))
    # Scores of SimCC, such as RTMPose's, are a little below 0 where a point was not found.
    if lowest < _LOWEST_SCORE or lowest < 0 == highest:
        raise DataError(
            f"{file.name}: the third numbers of points are {lowest:.3g} to {highest:.3g}; expected "
            "x, y, confidence"
        )
    return People(np.arange(len(points)), list(points))


def _in_order(array: np.ndarray) -> np.ndarray | None:
    """Frames x people x points x 2 or 3; None where no axis has 133 or 136 points."""
    if array.ndim == 2:
        for num_points in HANDS:
            if array.shape[1] in (2 * num_points, 3 * num_points):
                return array.reshape(len(array), 1, num_points, -1)
    if array.ndim >= 3 and array.shape[-1] in HANDS and array.shape[0] in (2, 3):
        array = np.moveaxis(array, 0, -1)
    if array.ndim < 2 or array.shape[-2] not in HANDS or array.shape[-1] not in (2, 3):
        return None
    if array.ndim == 2:
        return array[None, None]
    if array.ndim == 3:
        return array[:, None]
    if array.ndim == 4:
        # Some put people before frames; there are fewer of them.
        return array.swapaxes(0, 1) if array.shape[0] < array.shape[1] else array
    return None


def _scores(scores: np.ndarray, points: np.ndarray, file: Path) -> np.ndarray:
    shape = points.shape[:-1]
    for one in (scores, scores.swapaxes(0, 1) if scores.ndim > 1 else scores):
        if one.size == np.prod(shape) and one.squeeze().shape == np.empty(shape).squeeze().shape:
            return one.reshape(shape)
    raise DataError(f"{file.name}: scores have shape {scores.shape}, points {points.shape}")
