"""`.pose` files, read with the pose-format library.

Bodies of MediaPipe Holistic, of OpenPose, and whole bodies of 133 or 136 points (see
`wholebody.py`), in the components that the library gives mmpose's, openpifpaf's and AlphaPose's
output, or in one.

Coordinates in the file are pixels of the header's width and height. GLOSS/CLIP.pose gives the
gloss; a file right in the folder that was named has none. Of several people the surest is followed:
they may change places in a file. The format names no signer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from slr_ray.corpora.importers.formats.wholebody import HANDS
from slr_ray.corpora.importers.formats.wholebody import joints as wholebody_joints
from slr_ray.corpora.importers.gloss_tree import source_of_files
from slr_ray.corpora.importers.missing import Landmarks
from slr_ray.corpora.importers.people import People, surest_person
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Source
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import NUM_HAND_LANDMARKS, assemble

_Points = dict[str, Landmarks]

_HOLISTIC_BODY = {
    "nose": "NOSE",
    "rightEye": "RIGHT_EYE",
    "leftEye": "LEFT_EYE",
    "rightEar": "RIGHT_EAR",
    "leftEar": "LEFT_EAR",
    "rightShoulder": "RIGHT_SHOULDER",
    "leftShoulder": "LEFT_SHOULDER",
    "rightElbow": "RIGHT_ELBOW",
    "leftElbow": "LEFT_ELBOW",
    "rightWrist": "RIGHT_WRIST",
    "leftWrist": "LEFT_WRIST",
}
_HOLISTIC_FACE = {
    "nose": ("1",),
    "rightEye": ("33", "133"),
    "leftEye": ("263", "362"),
    "rightEar": ("234",),
    "leftEar": ("454",),
}
"""Stand-ins from the face mesh for files whose pose was reduced to shoulders, arms and hips.

Tip of the nose, midpoint of an eye's corners, edge of the face in front of the ear. A mesh that was
reduced to its contours has no nose: it is then missing.
"""
_OPENPOSE_BODY = {
    "nose": "Nose",
    "neck": "Neck",
    "rightEye": "REye",
    "leftEye": "LEye",
    "rightEar": "REar",
    "leftEar": "LEar",
    "rightShoulder": "RShoulder",
    "leftShoulder": "LShoulder",
    "rightElbow": "RElbow",
    "leftElbow": "LElbow",
    "rightWrist": "RWrist",
    "leftWrist": "LWrist",
}
_COCO_BODY = {
    "nose": "nose",
    "neck": "neck",
    "rightEye": "right_eye",
    "leftEye": "left_eye",
    "rightEar": "right_ear",
    "leftEar": "left_ear",
    "rightShoulder": "right_shoulder",
    "leftShoulder": "left_shoulder",
    "rightElbow": "right_elbow",
    "leftElbow": "left_elbow",
    "rightWrist": "right_wrist",
    "leftWrist": "left_wrist",
}
"""After pose-format's `cocowholebody133_header.py` and `alphapose.py`; of 133, none is a neck."""


_PARTS = {
    ("POSE_LANDMARKS", "LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"): _HOLISTIC_BODY,
    ("pose_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d"): _OPENPOSE_BODY,
    **{
        tuple(f"{part}{ending}" for part in ("BODY", "LEFT_HAND", "RIGHT_HAND")): _COCO_BODY
        for ending in ("", "_133", "_136")
    },
}
"""Names of the body, the left and the right hand, with those of the body's points."""


def open_source(path: Path, options: ImportOptions) -> Source:
    """One `.pose` file or every one below a folder; `DataError` where there is none."""
    return source_of_files(path, (".pose",), {"library": "pose-format"}, _read, options)


def _read(
    file: Path, clip_id: str, gloss: str | None, options: ImportOptions, remarks: Remarks
) -> Clip:
    pose = _load(file)
    width, height = pose.header.dimensions.width, pose.header.dimensions.height
    if width <= 0 or height <= 0:
        raise DataError(f"its header has no picture size ({width} x {height})")
    people = _people(pose, np.array([width, height], np.float64))
    components = _components(pose, *surest_person(people, clip_id, remarks))
    return Clip(
        clip_id,
        gloss,
        options.fallback_signer,
        options.fps_or(float(pose.body.fps)),
        *_joints(components, len(pose.body.data)),
    )


def _joints(components: dict[str, _Points], frames: int) -> Landmarks:
    whole = next((one for one in components.values() if len(one) in HANDS), None)
    if whole is not None:
        positions, confidence = zip(*whole.values(), strict=True)
        return wholebody_joints(np.stack(positions, axis=1), np.stack(confidence, axis=1))
    for (body, left, right), names in _PARTS.items():
        if not components.keys().isdisjoint((body, left, right)):
            # Files of hands alone have no body.
            joints = _named(components.get(body, {}), names)
            if names is _HOLISTIC_BODY:
                _add_face(joints, components.get("FACE_LANDMARKS", {}))
            hands = (_hand(components, name, frames) for name in (left, right))
            return assemble(joints, *hands)
    raise DataError(
        "it has no part of MediaPipe Holistic (POSE_LANDMARKS), of OpenPose (pose_keypoints_2d) or "
        f"of a whole body (BODY, LEFT_HAND, RIGHT_HAND), only {', '.join(components)}"
    )


def _named(points: _Points, names: dict[str, str]) -> _Points:
    return {joint: points[name] for joint, name in names.items() if name in points}


def _load(file: Path) -> Any:
    from pose_format import Pose

    try:
        return Pose.read(file.read_bytes())
    except Exception as error:  # the library raises whatever its decoder met in the bytes
        raise DataError(f"it is not a .pose file: {type(error).__name__}: {error}") from None


def _people(pose: Any, size: np.ndarray) -> People:
    sure = np.nan_to_num(np.asarray(pose.body.confidence, np.float64)).clip(0, 1)
    if not sure.size:
        raise DataError("it has no frames or no people")
    masked = np.ma.getmaskarray(pose.body.data)[..., :2].any(axis=-1)
    positions = np.asarray(pose.body.data.data[..., :2], np.float64) / size
    confidence = np.where(masked, 0.0, sure)
    points = np.concatenate([positions, confidence[..., None]], axis=-1)
    return People(np.arange(len(points)), list(points))


def _components(pose: Any, positions: np.ndarray, confidence: np.ndarray) -> dict[str, _Points]:
    """By component and point: positions (frames x 2, fractions) and confidence (frames)."""
    components: dict[str, _Points] = {}
    start = 0
    for component in pose.header.components:
        components[component.name] = {
            point: (positions[:, start + index], confidence[:, start + index])
            for index, point in enumerate(component.points)
        }
        start += len(component.points)
    return components


def _add_face(body: _Points, face: _Points) -> None:
    for joint, points in _HOLISTIC_FACE.items():
        if joint not in body and all(point in face for point in points):
            body[joint] = (
                np.mean([face[point][0] for point in points], axis=0),
                np.min([face[point][1] for point in points], axis=0),
            )


def _hand(components: dict[str, _Points], name: str, frames: int) -> Landmarks:
    """A hand's 21 landmarks; all of these detectors store them in one order."""
    points = list(components.get(name, {}).values())
    if not points:
        return np.zeros((frames, NUM_HAND_LANDMARKS, 2)), np.zeros((frames, NUM_HAND_LANDMARKS))
    if len(points) != NUM_HAND_LANDMARKS:
        raise DataError(f"{name} has {len(points)} points, expected {NUM_HAND_LANDMARKS}")
    return (
        np.stack([positions for positions, _ in points], axis=1),
        np.stack([confidence for _, confidence in points], axis=1),
    )
