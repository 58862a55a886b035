"""`.pose` files, read with the pose-format library: MediaPipe Holistic and OpenPose bodies.

Coordinates in the file are pixels of the header's width and height. GLOSS/CLIP.pose gives the
gloss; a file right in the folder that was named has none. Of several people in a file, the one with
the highest confidence over all frames is taken. The format names no signer.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
from slr_ray.poses.landmarks import NUM_HAND_LANDMARKS, assemble

_Landmarks = dict[str, tuple[np.ndarray, np.ndarray]]

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


def open_source(path: Path, options: ImportOptions) -> Source:
    """One `.pose` file or every one below a folder; `DataError` where there is none."""
    require_exists(path)
    files = [path] if path.is_file() else sorted(path.rglob("*.pose"))
    root = path.parent if path.is_file() else path
    if not files:
        raise DataError(f"{str(path)!r} holds no .pose file")
    return Source(
        num_clips=len(files),
        provenance={
            "extractor": "unknown",
            "version": None,
            "settings": {"library": "pose-format"},
        },
        items=[
            Item(clip_id, str(file), partial(_read, file, clip_id, root, options))
            for file in files
            for clip_id in [file.relative_to(root).with_suffix("").as_posix()]
        ],
    )


def _read(file: Path, clip_id: str, root: Path, options: ImportOptions) -> Clip:
    pose = _load(file)
    width, height = pose.header.dimensions.width, pose.header.dimensions.height
    if width <= 0 or height <= 0:
        raise DataError(f"its header has no picture size ({width} x {height})")
    components = _components(pose, np.array([width, height], np.float64))
    if "POSE_LANDMARKS" in components:
        body = _holistic_body(components)
        left, right = "LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"
    elif "pose_keypoints_2d" in components:
        named = components["pose_keypoints_2d"]
        body = {joint: named[name] for joint, name in _OPENPOSE_BODY.items() if name in named}
        left, right = "hand_left_keypoints_2d", "hand_right_keypoints_2d"
    else:
        raise DataError(
            "it has neither MediaPipe Holistic's POSE_LANDMARKS nor OpenPose's pose_keypoints_2d, "
            f"only {', '.join(components)}"
        )
    frames = len(pose.body.data)
    positions, confidence = assemble(
        body, _hand(components, left, frames), _hand(components, right, frames)
    )
    fps = float(pose.body.fps)
    return Clip(
        clip_id=clip_id,
        gloss=file.parent.name if file.parent != root else None,
        signer=options.fallback_signer,
        fps=fps if fps > 0 else None,
        positions=positions,
        confidence=confidence,
    )


def _load(file: Path) -> Any:
    from pose_format import Pose

    try:
        return Pose.read(file.read_bytes())
    except Exception as error:  # the library raises whatever its decoder met in the bytes
        raise DataError(f"it is not a .pose file: {type(error).__name__}: {error}") from None


def _components(pose: Any, size: np.ndarray) -> dict[str, _Landmarks]:
    """By component and point: positions (frames x 2, fractions) and confidence (frames)."""
    found = np.nan_to_num(np.asarray(pose.body.confidence, np.float64)).clip(0, 1)
    person = int(found.sum(axis=(0, 2)).argmax()) if found.shape[1] else 0
    if not found.size:
        raise DataError("it has no frames or no people")
    masked = np.ma.getmaskarray(pose.body.data)[:, person, :, :2].any(axis=-1)
    positions = np.asarray(pose.body.data.data[:, person, :, :2], np.float64) / size
    confidence = np.where(masked | ~np.isfinite(positions).all(axis=-1), 0, found[:, person])
    components: dict[str, _Landmarks] = {}
    start = 0
    for component in pose.header.components:
        components[component.name] = {
            point: (positions[:, start + index], confidence[:, start + index])
            for index, point in enumerate(component.points)
        }
        start += len(component.points)
    return components


def _holistic_body(components: dict[str, _Landmarks]) -> _Landmarks:
    named, face = components["POSE_LANDMARKS"], components.get("FACE_LANDMARKS", {})
    body = {joint: named[name] for joint, name in _HOLISTIC_BODY.items() if name in named}
    for joint, points in _HOLISTIC_FACE.items():
        if joint not in body and all(point in face for point in points):
            body[joint] = (
                np.mean([face[point][0] for point in points], axis=0),
                np.min([face[point][1] for point in points], axis=0),
            )
    return body


def _hand(
    components: dict[str, _Landmarks], name: str, frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """A hand's 21 landmarks; MediaPipe and OpenPose store them in one order."""
    points = list(components.get(name, {}).values())
    if not points:
        return np.zeros((frames, NUM_HAND_LANDMARKS, 2)), np.zeros((frames, NUM_HAND_LANDMARKS))
    if len(points) != NUM_HAND_LANDMARKS:
        raise DataError(f"{name} has {len(points)} points, expected {NUM_HAND_LANDMARKS}")
    return (
        np.stack([positions for positions, _ in points], axis=1),
        np.stack([confidence for _, confidence in points], axis=1),
    )
