"""Whole-body points in the JSON of mmpose and AlphaPose.

mmpose: `mmpose/apis/inferencers/base_mmpose_inferencer.py` and `split_instances` of
`mmpose/structures/utils.py`. AlphaPose: `docs/output.md` of its repository; it leaves out frames
without people.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from slr_ray.corpora.importers.formats.wholebody import HANDS
from slr_ray.corpora.importers.people import People
from slr_ray.corpora.importers.source import usable_fps
from slr_ray.errors import DataError
from slr_ray.text import read_json

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def people_of_json(file: Path) -> People:
    """The people of a .json file; frame rate and picture size where it has metadata."""
    content = read_json(file)
    metadata = None
    if isinstance(content, dict):
        metadata = content.get("metadata")
        content = content.get("instance_info", content.get("frames"))
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise DataError(f"{file.name} is no list of frames as mmpose or AlphaPose write it")
    frames: dict[int, list[np.ndarray]] = {}
    for place, entry in enumerate(content):
        if "instances" in entry:
            people, number = entry["instances"], _number(entry.get("frame_id", place), file)
        else:
            people, number = [entry], _number(_picture(entry, file), file)
        if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
            raise DataError(f"{file.name}: 'instances' of frame {number} is no list of people")
        frames.setdefault(number, []).extend(_person(one, number, file) for one in people)
    numbers = sorted(frames)
    fps, size = _metadata(metadata)
    return People(
        np.array(numbers, np.int64),
        [_stacked(frames[one], one, file) for one in numbers],
        fps,
        size,
    )


def _picture(entry: dict[str, Any], file: Path) -> Any:
    """Whose person it is: two entries without it would be two frames of one."""
    for name in ("image_id", "frame_id"):
        if name in entry:
            return entry[name]
    raise DataError(
        f"{file.name} has an entry with neither 'instances' nor 'image_id', as files with the "
        "people of one picture have: they are no clip. Have mmpose read the video, or write the "
        "pictures of a clip to one file, a list of {frame_id, instances}"
    )


def _metadata(values: Any) -> tuple[float | None, tuple[int, int] | None]:
    if not isinstance(values, dict):
        return None, None
    size = tuple(values.get(name) for name in ("width", "height"))
    whole = all(type(value) is int and value > 0 for value in size)
    return usable_fps(str(values.get("fps"))), size if whole else None  # type: ignore[return-value]


def _stacked(people: list[np.ndarray], frame: int, file: Path) -> np.ndarray:
    if len({len(person) for person in people}) > 1:
        raise DataError(f"{file.name}, frame {frame}: its people have 133 and 136 points")
    return np.stack(people) if people else np.zeros((0, 0, 3))


def _number(value: Any, file: Path) -> int:
    """A frame's number: AlphaPose gives the name of a picture."""
    number = _LAST_NUMBER.search(str(value))
    if number is None:
        raise DataError(f"{file.name}: {value!r} has no frame number")
    return int(number[1])


def _person(instance: dict[str, Any], frame: int, file: Path) -> np.ndarray:
    where = f"{file.name}, frame {frame}"
    try:
        points = np.asarray(instance.get("keypoints"), np.float64)
        scores = np.asarray(instance.get("keypoint_scores", []), np.float64)
        if points.ndim == 1:
            points = points.reshape(-1, 3)
        elif points.ndim == 2 and points.shape[1] == 2:
            sure = scores.reshape(-1, 1) if scores.size else np.ones((len(points), 1))
            points = np.concatenate([points, sure], axis=1)
    except (ValueError, TypeError):
        raise DataError(f"{where}: its keypoints are no list of points with their scores") from None
    if points.ndim != 2 or len(points) not in HANDS or points.shape[1] != 3:
        raise DataError(
            f"{where}: its keypoints have shape {points.shape}, expected 133 or 136 points"
        )
    return points
