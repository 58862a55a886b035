"""OpenPose's JSON: a file a frame, `CLIP_000000000012_keypoints.json`, with the people in it.

Format and orders after OpenPose's `doc/02_output.md`: `pose_keypoints_2d` holds x, y, confidence of
25 points (BODY_25) or 18 (COCO), `hand_left_keypoints_2d` and `hand_right_keypoints_2d` of 21 each.
Coordinates are pixels as a rule (`--keypoint_scale 0`), and the size of the picture is not in the
file. GLOSS/CLIP/... gives the gloss; so does GLOSS/... where a folder holds the frames of several
clips. The format names no signer and no frame rate.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from slr_ray.corpora.importers.gloss_tree import files_below, glosses
from slr_ray.corpora.importers.missing import Landmarks
from slr_ray.corpora.importers.people import People, one_person
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import NUM_HAND_LANDMARKS, assemble
from slr_ray.text import read_json

_FRAME = re.compile(r"(?P<clip>.*?)_?(?P<number>\d+)_keypoints\.json", re.DOTALL)
_UPPER_BODY = {
    "nose": 0,
    "neck": 1,
    "rightShoulder": 2,
    "rightElbow": 3,
    "rightWrist": 4,
    "leftShoulder": 5,
    "leftElbow": 6,
    "leftWrist": 7,
}
_BODIES = {
    25: _UPPER_BODY | {"rightEye": 15, "leftEye": 16, "rightEar": 17, "leftEar": 18},
    18: _UPPER_BODY | {"rightEye": 14, "leftEye": 15, "rightEar": 16, "leftEar": 17},
}
"""Our body joints in BODY_25 and in COCO's 18, by the number of points."""
_OUTSIDE = -0.05


def open_source(path: Path, options: ImportOptions) -> Source:
    """The clips whose frames lie below a folder; `DataError` where there is no such frame."""
    require_exists(path)
    remarks = Remarks()
    frames: dict[PurePosixPath, dict[str, list[tuple[int, Path]]]] = {}
    for file, name in files_below(path, "*_keypoints.json"):
        frame = _FRAME.fullmatch(file.name)
        if frame is not None:
            clips = frames.setdefault(name.parent, defaultdict(list))
            clips[frame["clip"]].append((int(frame["number"]), file))
    if not frames:
        raise DataError(f"{str(path)!r} has no file such as CLIP_000000000000_keypoints.json")
    named = _clips(frames, path.resolve().name)
    items = [
        Item(
            str(clip),
            str(numbered[0][1].parent),
            partial(_read, numbered, str(clip), gloss, options, remarks),
        )
        for (clip, numbered), gloss in zip(
            named.items(), glosses(list(named), remarks), strict=True
        )
    ]
    return Source(
        num_clips=len(items),
        provenance={"extractor": "OpenPose", "version": None, "settings": {}},
        items=items,
        remarks=remarks,
    )


def _clips(
    frames: dict[PurePosixPath, dict[str, list[tuple[int, Path]]]], source: str
) -> dict[PurePosixPath, list[tuple[int, Path]]]:
    """Frames by clip: a folder is one, unless some folder holds the frames of several."""
    if all(len(clips) == 1 for clips in frames.values()):
        root = PurePosixPath()
        return {
            PurePosixPath(name or source) if folder == root else folder: numbered
            for folder, clips in frames.items()
            for name, numbered in clips.items()
        }
    return {
        folder / (name or source): numbered
        for folder, clips in frames.items()
        for name, numbered in clips.items()
    }


def _read(
    numbered: list[tuple[int, Path]],
    clip_id: str,
    gloss: str | None,
    options: ImportOptions,
    remarks: Remarks,
) -> Clip:
    numbered = sorted(numbered)
    numbers = np.array([number for number, _ in numbered])
    people = People(numbers, [_people(file) for _, file in numbered])
    positions, confidence = one_person(people, options.picture_size, clip_id, remarks)
    positions = _unsigned(positions, confidence)
    joints = _joints(positions, confidence, confidence.shape[1] - 2 * NUM_HAND_LANDMARKS)
    return Clip(clip_id, gloss, options.fallback_signer, options.fps, *joints)


def _joints(positions: np.ndarray, confidence: np.ndarray, num_body: int) -> Landmarks:
    body = {
        joint: (positions[:, point], confidence[:, point])
        for joint, point in _BODIES[num_body].items()
    }
    left = slice(num_body, num_body + NUM_HAND_LANDMARKS)
    right = slice(left.stop, left.stop + NUM_HAND_LANDMARKS)
    return assemble(
        body,
        (positions[:, left], confidence[:, left]),
        (positions[:, right], confidence[:, right]),
    )


def _unsigned(positions: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """`--keypoint_scale 4` gives -1 to 1; OpenPose finds no joint outside the picture."""
    there = confidence > 0
    if not there.any() or positions[there].min() >= _OUTSIDE:
        return positions
    return np.where(there[..., None], (positions + 1) / 2, 0.0)


def _people(file: Path) -> np.ndarray:
    """People x points x (x, y, confidence): body, left hand, right hand."""
    content = read_json(file)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
        raise DataError(f"{file.name} has no list 'people'; it is not OpenPose's")
    persons = [_person(one, file) for one in people]
    if len({len(person) for person in persons}) > 1:
        raise DataError(f"{file.name} holds bodies of several kinds")
    return np.stack(persons) if persons else np.zeros((0, 0, 3))


def _person(person: dict[str, Any], file: Path) -> np.ndarray:
    # Releases before 1.2 call the parts pose_keypoints and hand_left_keypoints.
    body = _part(person, "pose_keypoints", file)
    if not len(body):
        body = np.zeros((max(_BODIES), 3))
    if len(body) not in _BODIES:
        raise DataError(
            f"{file.name} has a body of {len(body)} points, expected 25 (BODY_25) or 18 (COCO)"
        )
    hands = [_part(person, f"hand_{side}_keypoints", file) for side in ("left", "right")]
    for hand in hands:
        if len(hand) not in (0, NUM_HAND_LANDMARKS):
            raise DataError(f"{file.name} has a hand of {len(hand)} points, expected 21")
    empty = np.zeros((NUM_HAND_LANDMARKS, 3))
    return np.concatenate([body, *(hand if len(hand) else empty for hand in hands)])


def _part(person: dict[str, Any], name: str, file: Path) -> np.ndarray:
    values = person.get(f"{name}_2d", person.get(name)) or []
    try:
        return np.asarray(values, np.float64).reshape(-1, 3)
    except (ValueError, TypeError):
        raise DataError(f"{file.name}: {name} is no list of x, y, confidence") from None
