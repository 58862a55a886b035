"""Small sources of every format: two clips of one upright person, of the glosses cat and dog."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.source import ImportOptions, Source, read_clips
from slr_ray.poses.clip import Clip
from slr_ray.poses.skeleton import INDEX, JOINTS, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

# MediaPipe's numbering, written out from its documentation and not from our tables.
MEDIAPIPE_BODY = {
    "nose": 0, "leftEye": 2, "rightEye": 5, "leftEar": 7, "rightEar": 8, "leftShoulder": 11,
    "rightShoulder": 12, "leftElbow": 13, "rightElbow": 14, "leftWrist": 15, "rightWrist": 16,
}  # fmt: skip
MEDIAPIPE_HAND = {
    "wrist": 0, "thumbCMC": 1, "thumbMP": 2, "thumbIP": 3, "thumbTip": 4,
    "indexMCP": 5, "indexPIP": 6, "indexDIP": 7, "indexTip": 8,
    "middleMCP": 9, "middlePIP": 10, "middleDIP": 11, "middleTip": 12,
    "ringMCP": 13, "ringPIP": 14, "ringDIP": 15, "ringTip": 16,
    "littleMCP": 17, "littlePIP": 18, "littleDIP": 19, "littleTip": 20,
}  # fmt: skip
POSE_NAMES = {
    "nose": "NOSE", "leftEye": "LEFT_EYE", "rightEye": "RIGHT_EYE", "leftEar": "LEFT_EAR",
    "rightEar": "RIGHT_EAR", "leftShoulder": "LEFT_SHOULDER", "rightShoulder": "RIGHT_SHOULDER",
    "leftElbow": "LEFT_ELBOW", "rightElbow": "RIGHT_ELBOW", "leftWrist": "LEFT_WRIST",
    "rightWrist": "RIGHT_WRIST",
}  # fmt: skip
OPENPOSE_NAMES = {
    "nose": "Nose", "neck": "Neck", "rightShoulder": "RShoulder", "rightElbow": "RElbow",
    "rightWrist": "RWrist", "leftShoulder": "LShoulder", "leftElbow": "LElbow",
    "leftWrist": "LWrist", "rightEye": "REye", "leftEye": "LEye", "rightEar": "REar",
    "leftEar": "LEar",
}  # fmt: skip
BODY_PLACES = {
    "nose": (0.5, 0.2), "rightEye": (0.47, 0.17), "leftEye": (0.53, 0.17), "rightEar": (0.44, 0.18),
    "leftEar": (0.56, 0.18), "rightShoulder": (0.35, 0.4), "leftShoulder": (0.65, 0.4),
    "rightElbow": (0.3, 0.6), "leftElbow": (0.7, 0.6), "rightWrist": (0.32, 0.8),
    "leftWrist": (0.68, 0.8), "neck": (0.5, 0.4),
}  # fmt: skip
FRAMES = 4


def person(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An upright signer facing the camera, no two joints in one place.

    The left hand is missing in frame 1, both hands in frame 2, everything but the body's upper half
    is where a person's would be.
    """
    positions = np.zeros((FRAMES, NUM_JOINTS, 2))
    for joint, place in BODY_PLACES.items():
        positions[:, INDEX[joint]] = place
    spread = np.random.default_rng(seed).uniform(-0.05, 0.05, (FRAMES, 21, 2))
    positions[:, LEFT_HAND] = np.array([0.69, 0.81]) + spread
    positions[:, RIGHT_HAND] = np.array([0.31, 0.81]) - spread
    positions += 0.001 * np.arange(FRAMES)[:, None, None]
    confidence = np.ones((FRAMES, NUM_JOINTS))
    confidence[1:3, LEFT_HAND] = 0
    confidence[2, RIGHT_HAND] = 0
    positions[confidence == 0] = 0
    return positions, confidence


@dataclass(frozen=True)
class Written:
    """A small source of two clips of the glosses `cat` and `dog`."""

    path: Path
    has_glosses: bool
    break_first: Callable[[], None]


def hand_landmarks(values: np.ndarray, suffix: str) -> np.ndarray:
    """Our joints of one hand in MediaPipe's order: frames x 21 x ..."""
    joints = sorted(MEDIAPIPE_HAND, key=lambda joint: MEDIAPIPE_HAND[joint])
    return values[:, [INDEX[joint + suffix] for joint in joints]]


def body_landmarks(values: np.ndarray) -> np.ndarray:
    """Our body joints among MediaPipe's 33: frames x 33 x ..., the others anywhere."""
    landmarks = np.full((FRAMES, 33, *values.shape[2:]), 0.9)
    for joint, landmark in MEDIAPIPE_BODY.items():
        landmarks[:, landmark] = values[:, INDEX[joint]]
    return landmarks


def write_spoter_csv(folder: Path, y_up: bool = False) -> Written:
    path = folder / "clips.csv"
    positions, confidence = person()
    if y_up:
        positions[..., 1] = np.where(confidence > 0, 1 - positions[..., 1], 0)
    row = {"labels": "2", "video_fps": "25"}
    for joint in JOINTS:
        name = joint.replace("_0", "_left").replace("_1", "_right")
        for axis, letter in enumerate("XY"):
            row[f"{name}_{letter}"] = str(positions[:, INDEX[joint], axis].tolist())

    def write(first: dict[str, str]) -> None:
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            writer.writeheader()
            writer.writerows([first, row])

    write(row | {"labels": "1"})
    return Written(path, True, lambda: write(row | {"nose_X": "[0.1, oops"}))


def write_mp_data(folder: Path) -> Written:
    positions, _ = person()
    pose = np.concatenate([body_landmarks(positions), np.zeros((FRAMES, 33, 1))], axis=-1)
    pose = np.concatenate([pose, np.full((FRAMES, 33, 1), 1.0)], axis=-1)
    hands = [
        np.concatenate([hand_landmarks(positions, one), np.zeros((FRAMES, 21, 1))], axis=-1)
        for one in ("_0", "_1")
    ]
    parts = [pose, np.full((FRAMES, 468, 3), 0.3), *hands]
    vectors = np.concatenate([part.reshape(FRAMES, -1) for part in parts], axis=1)
    assert vectors.shape == (FRAMES, 1662)
    for gloss in ("cat", "dog"):
        clip = folder / "MP_Data" / gloss / "0"
        clip.mkdir(parents=True)
        # Names that sort differently as text: frame 10 comes after frame 9.
        for frame, vector in zip((8, 9, 10, 11), vectors, strict=True):
            np.save(clip / f"{frame}.npy", vector)
    broken = folder / "MP_Data" / "cat" / "0" / "8.npy"
    return Written(folder / "MP_Data", True, lambda: np.save(broken, np.zeros(7)))


def write_asl_signs(folder: Path) -> Written:
    positions, confidence = person()
    places = np.where(confidence[..., None] > 0, positions, np.nan)
    parts = {
        "face": np.full((FRAMES, 468, 2), 0.3),
        "left_hand": hand_landmarks(places, "_0"),
        "pose": body_landmarks(places),
        "right_hand": hand_landmarks(places, "_1"),
    }
    columns: dict[str, list[object]] = {"frame": [], "type": [], "landmark_index": []}
    columns |= {"x": [], "y": []}
    for frame in range(FRAMES):
        for kind, landmarks in parts.items():
            for index, (x, y) in enumerate(landmarks[frame]):
                values = (20 + frame, kind, index, float(x), float(y))
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value)
    rows = []
    for gloss in ("cat", "dog"):
        path = folder / "train_landmark_files" / "p7" / f"{gloss}1.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        rows.append(f"train_landmark_files/p7/{gloss}1.parquet,p7,{gloss}1,{gloss}")
    listing = "\n".join(["path,participant_id,sequence_id,sign", *rows])
    (folder / "train.csv").write_text(listing + "\n")
    broken = folder / "train_landmark_files" / "p7" / "cat1.parquet"
    return Written(folder, True, lambda: broken.unlink())


def write_pose(folder: Path, openpose: bool = False) -> Written:
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    positions, confidence = person()
    hand = sorted(MEDIAPIPE_HAND, key=lambda joint: MEDIAPIPE_HAND[joint])
    body = OPENPOSE_NAMES if openpose else POSE_NAMES
    names = (
        ("pose_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
        if openpose
        else ("POSE_LANDMARKS", "LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS")
    )
    points = (list(body.values()), hand, hand)
    kind = "XYC" if openpose else "XYZC"
    header = PoseHeader(
        version=0.1,
        dimensions=PoseHeaderDimensions(width=640, height=480, depth=0),
        components=[
            PoseHeaderComponent(name, named, [], [], kind)
            for name, named in zip(names, points, strict=True)
        ],
    )
    order = [INDEX[joint] for joint in body]
    order += [INDEX[joint + suffix] for suffix in ("_0", "_1") for joint in hand]
    pixels = positions[:, order] * np.array([640, 480])
    if not openpose:
        pixels = np.concatenate([pixels, np.zeros((*pixels.shape[:2], 1))], axis=-1)
    data, sure = pixels[:, None].astype(np.float32), confidence[:, None, order].astype(np.float32)
    pose = Pose(header, NumPyPoseBody(24, data, sure))
    for gloss in ("cat", "dog"):
        path = folder / gloss / "1.pose"
        path.parent.mkdir(parents=True)
        with path.open("wb") as stream:
            pose.write(stream)
    broken = folder / "cat" / "1.pose"
    return Written(folder, True, lambda: broken.write_bytes(b"no pose") and None)


# OpenPose's numbering of BODY_25, and that of COCO-WholeBody's body, from their documentation.
BODY_25 = {
    "nose": 0, "neck": 1, "rightShoulder": 2, "rightElbow": 3, "rightWrist": 4, "leftShoulder": 5,
    "leftElbow": 6, "leftWrist": 7, "rightEye": 15, "leftEye": 16, "rightEar": 17, "leftEar": 18,
}  # fmt: skip
COCO_BODY = {
    "nose": 0, "leftEye": 1, "rightEye": 2, "leftEar": 3, "rightEar": 4, "leftShoulder": 5,
    "rightShoulder": 6, "leftElbow": 7, "rightElbow": 8, "leftWrist": 9, "rightWrist": 10,
}  # fmt: skip


def openpose_person(body: dict[str, int] = BODY_25, num_points: int = 25) -> list[dict[str, Any]]:
    """Each frame's entry of the person, in fractions (`--keypoint_scale 3`)."""
    positions, confidence = person()
    values = np.concatenate([positions, confidence[..., None]], axis=-1)
    frames = []
    for frame in values:
        points = np.zeros((num_points, 3))
        points[list(body.values())] = frame[[INDEX[joint] for joint in body]]
        hands = {
            f"hand_{side}_keypoints_2d": hand_landmarks(frame[None], suffix)[0].ravel().tolist()
            for side, suffix in (("left", "_0"), ("right", "_1"))
        }
        frames.append({"pose_keypoints_2d": points.ravel().tolist(), **hands})
    return frames


def write_openpose_frames(
    folder: Path, frames: list[list[dict[str, Any]]], clip: str = "v"
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, people in enumerate(frames):
        path = folder / f"{clip}_{number:012d}_keypoints.json"
        path.write_text(json.dumps({"version": 1.3, "people": people}))


def write_openpose(folder: Path) -> Written:
    for gloss in ("cat", "dog"):
        write_openpose_frames(folder / gloss / "1", [[one] for one in openpose_person()])
    broken = folder / "cat" / "1" / "v_000000000001_keypoints.json"
    return Written(folder, True, lambda: broken.write_text('{"people": 3}') and None)


def wholebody_points(num_points: int = 133) -> np.ndarray:
    """The person as frames x 133 or 136 x (x, y, confidence), in fractions."""
    positions, confidence = person()
    values = np.concatenate([positions, confidence[..., None]], axis=-1)
    points = np.full((FRAMES, num_points, 3), 0.9)
    for joint, point in COCO_BODY.items():
        points[:, point] = values[:, INDEX[joint]]
    left, right = (91, 112) if num_points == 133 else (94, 115)
    points[:, left : left + 21] = hand_landmarks(values, "_0")
    points[:, right : right + 21] = hand_landmarks(values, "_1")
    if num_points == 136:
        points[:, 18] = values[:, INDEX["neck"]]
    return points


def write_coco_wholebody(folder: Path) -> Written:
    for gloss in ("cat", "dog"):
        (folder / gloss).mkdir(parents=True)
        np.save(folder / gloss / "1.npy", wholebody_points())
    broken = folder / "cat" / "1.npy"
    return Written(folder, True, lambda: np.save(broken, np.zeros((4, 17, 3))))


WRITERS: dict[str, Callable[[Path], Written]] = {
    "spoter_csv": write_spoter_csv,
    "mp_data": write_mp_data,
    "asl_signs": write_asl_signs,
    "pose": write_pose,
    "openpose": write_openpose,
    "coco_wholebody": write_coco_wholebody,
}


def opened(name: str, path: Path, **options: Any) -> Source:
    return IMPORTERS[name](path, ImportOptions(**options))


def read(name: str, path: Path, **options: Any) -> list[Clip]:
    """All clips; the first broken one raises."""
    source = opened(name, path, **options)
    clips = list(read_clips(source, skip_broken=False, skipped=[]))
    assert len(clips) == source.num_clips
    return clips


def assert_person(clip: Clip) -> None:
    positions, confidence = person()
    np.testing.assert_array_equal(clip.confidence > 0, confidence > 0)
    np.testing.assert_allclose(clip.positions, positions, atol=1e-5)
