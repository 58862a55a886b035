"""The shapes in which detectors and people write one format: all are read, or named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from importer_factory import (
    BODY_25,
    FRAMES,
    INDEX,
    LEFT_HAND,
    MEDIAPIPE_HAND,
    assert_person,
    opened,
    openpose_person,
    person,
    read,
    wholebody_points,
    write_mp_data,
    write_openpose,
    write_openpose_frames,
    write_pose,
)
from typer.testing import CliRunner

from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip

SIZE = (640, 480)
COCO_18 = {joint: place for joint, place in BODY_25.items() if place < 8} | {
    "rightEye": 14, "leftEye": 15, "rightEar": 16, "leftEar": 17,
}  # fmt: skip


def vectors(folder: Path, face: int = 468, pose: int = 4) -> np.ndarray:
    """The person's frames x numbers, with a face of so many landmarks and pose x 4 or 3."""
    written = write_mp_data(folder / "whole").path / "cat" / "0"
    whole = np.stack([np.load(written / f"{frame}.npy") for frame in (8, 9, 10, 11)])
    body = whole[:, :132].reshape(FRAMES, 33, 4)[..., :pose].reshape(FRAMES, -1)
    return np.concatenate([body, np.full((FRAMES, face * 3), 0.3), whole[:, -126:]], axis=1)


@pytest.mark.parametrize(
    ("face", "pose", "size"),
    [(468, 4, 1662), (478, 4, 1692), (0, 4, 258), (468, 3, 1629), (478, 3, 1659), (0, 3, 225)],
)
@pytest.mark.parametrize("as_array", [False, True])
def test_vectors_of_every_layout(
    tmp_path: Path, face: int, pose: int, size: int, as_array: bool
) -> None:
    frames = vectors(tmp_path, face, pose)
    assert frames.shape == (FRAMES, size)
    source = tmp_path / "source"
    (source / "cat" / "0").mkdir(parents=True)
    if as_array:
        np.save(source / "cat" / "1.5.npy", frames)
    else:
        for number, frame in enumerate(frames):
            np.save(source / "cat" / "0" / f"frame_{number}.npy", frame)
    (clip,) = read("mp_data", source)
    assert (clip.clip_id, clip.gloss) == ("cat/1.5" if as_array else "cat/0", "cat")
    assert_person(clip)


def test_hands_without_a_body(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "cat").mkdir(parents=True)
    np.save(source / "cat" / "0.npy", vectors(tmp_path)[:, -126:])
    (clip,) = read("mp_data", source)
    assert_hands(clip)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"0/0": np.zeros(1662), "0/1": np.zeros(258)},
            "1.npy has 258 numbers, but 0.npy has 1662",
        ),
        ({"0/0": np.zeros(1661)}, "shape .1661,. a frame, expected 1662"),
        ({"0/0": np.zeros((2, 3, 4))}, "shape .2, 3, 4."),
        ({"0/a": np.zeros(1662)}, "'a.npy' does not end in a frame number"),
        ({"0/a1": np.zeros(258), "0/b1": np.zeros(258)}, "frame 1 is there twice"),
        ({"0": np.zeros(258)}, "name the folder above"),
        ({"0": np.zeros((3, 17))}, "expected 1662"),
        ({"0/0": np.array(["x"])}, "expected numbers"),
        ({"0/0": np.array([None])}, "cannot read 0.npy"),
    ],
)
def test_vectors_that_make_no_sense(
    tmp_path: Path, files: dict[str, np.ndarray], message: str
) -> None:
    for name, array in files.items():
        file = tmp_path / "cat" / f"{name}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, array)
    arguments = ["import", "--format", "mp_data", str(tmp_path), str(tmp_path / "o")]
    for options in ([], ["--skip-broken"]):
        result = CliRunner().invoke(app, [*arguments, *options])
        assert result.exit_code == 2, result.exception
        assert len(result.stderr.splitlines()) == 1
    with pytest.raises(DataError, match=message):
        read("mp_data", tmp_path)


def in_pixels(frames: list[dict[str, Any]], scale: tuple[float, float, float]) -> list[Any]:
    return [
        [{name: (np.reshape(part, (-1, 3)) * scale).ravel().tolist() for name, part in one.items()}]
        for one in frames
    ]


def test_openpose_in_pixels_needs_the_size(tmp_path: Path) -> None:
    write_openpose_frames(tmp_path / "v", in_pixels(openpose_person(), (*SIZE, 1)))
    with pytest.raises(DataError, match=r"are pixels.*--picture-size WIDTHxHEIGHT$"):
        read("openpose", tmp_path)
    (clip,) = read("openpose", tmp_path, picture_size=SIZE)
    assert_person(clip)
    with pytest.raises(DataError, match=r"far outside a picture of 64x48.*--picture-size"):
        read("openpose", tmp_path, picture_size=(64, 48))
    out = tmp_path / "o.parquet"
    arguments = ["import", "--format", "openpose", str(tmp_path), str(out), "--picture-size"]
    assert CliRunner().invoke(app, [*arguments, "640x480"]).exit_code == 0
    assert "write width and height" in CliRunner().invoke(app, [*arguments, "640"]).stderr


def test_openpose_from_minus_1_to_1(tmp_path: Path) -> None:
    frames = openpose_person()
    for entry in frames:
        for name, part in entry.items():
            points = np.reshape(part, (-1, 3)).copy()
            points[:, :2] = np.where(points[:, 2:] > 0, points[:, :2] * 2 - 1, 0)
            entry[name] = points.ravel().tolist()
    write_openpose_frames(tmp_path / "v", [[one] for one in frames])
    (clip,) = read("openpose", tmp_path)
    assert_person(clip)


def test_openpose_with_18_points_and_old_names(tmp_path: Path) -> None:
    frames = [
        [{name.removesuffix("_2d"): part for name, part in one.items()}]
        for one in openpose_person(COCO_18, 18)
    ]
    write_openpose_frames(tmp_path / "v", frames)
    (clip,) = read("openpose", tmp_path)
    assert_person(clip)


def test_openpose_follows_one_person(tmp_path: Path) -> None:
    """A bystander, surer in no frame than the signer at best, comes first in every other frame."""
    frames = []
    for number, one in enumerate(openpose_person()):
        other = {
            name: (np.reshape(part, (-1, 3)) * (0.3, 1, 0.9)).ravel().tolist()
            for name, part in one.items()
        }
        frames.append([other, one] if number % 2 else [one, other])
    write_openpose_frames(tmp_path / "v", [*frames, []])
    source = opened("openpose", tmp_path)
    (item,) = source.items
    clip = item.read()
    assert clip.num_frames == FRAMES + 1
    assert (clip.confidence[-1] == 0).all()
    last = slice(0, FRAMES)
    assert_person(Clip("a", None, "b", None, clip.positions[last], clip.confidence[last]))
    assert "several people" in source.remarks.lines()[0]


def test_openpose_clips_of_one_folder_are_told_apart_by_name(tmp_path: Path) -> None:
    frames = [[one] for one in openpose_person()]
    for clip in ("a", "b_2"):
        write_openpose_frames(tmp_path / "cat", frames, clip)
    clips = read("openpose", tmp_path)
    assert [(clip.clip_id, clip.gloss) for clip in clips] == [("cat/a", "cat"), ("cat/b_2", "cat")]
    for clip in clips:
        assert_person(clip)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ([{"pose_keypoints_2d": [0.1] * 45}], "a body of 15 points, expected 25"),
        ([{"pose_keypoints_2d": [0.1] * 74}], "no list of x, y, confidence"),
        ([{"pose_keypoints_2d": [0.1] * 75, "hand_left_keypoints_2d": [0.1] * 6}], "hand of 2"),
        ([], "no person is there"),
        ([3], "no list 'people'"),
    ],
)
def test_openpose_files_that_make_no_sense(tmp_path: Path, people: list[Any], message: str) -> None:
    write_openpose_frames(tmp_path / "v", [people])
    with pytest.raises(DataError, match=message):
        read("openpose", tmp_path)


POINTS = wholebody_points()


@pytest.mark.parametrize(
    "array",
    [
        POINTS,
        wholebody_points(136),
        POINTS[None],
        POINTS[:, None],
        np.moveaxis(POINTS, -1, 0),
        POINTS.reshape(FRAMES, -1),
        np.where(POINTS[..., 2:] > 0, POINTS, np.nan),
        np.where(POINTS[..., 2:] > 0, POINTS, 0)[..., :2],
        POINTS.astype(np.float16),
        # As SimCC's scores of points that were not found.
        np.where(POINTS[..., 2:] > 0, POINTS, POINTS - (0, 0, 0.01)),
    ],
)
def test_whole_body_arrays_of_every_shape(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "1.npy", array)
    (clip,) = read("coco_wholebody", tmp_path)
    assert (clip.clip_id, clip.gloss) == ("1", None)
    positions, confidence = person()
    np.testing.assert_array_equal(clip.confidence > 0, confidence > 0)
    np.testing.assert_allclose(clip.positions, positions, atol=1e-3)


def test_whole_body_arrays_with_scores_of_their_own(tmp_path: Path) -> None:
    # pyskl's axes: people first; scores above 1, as those of RTMW.
    points, scores = POINTS[None, ..., :2], POINTS[None, ..., 2] * 5
    np.savez(tmp_path / "1.npz", keypoint=points, keypoint_score=scores)
    (clip,) = read("coco_wholebody", tmp_path / "1.npz")
    assert_person(clip)
    assert clip.confidence.max() == 1


def test_whole_bodies_in_pixels_need_the_size(tmp_path: Path) -> None:
    np.save(tmp_path / "1.npy", POINTS * (*SIZE, 1))
    with pytest.raises(DataError, match="--picture-size"):
        read("coco_wholebody", tmp_path)
    (clip,) = read("coco_wholebody", tmp_path, picture_size=SIZE)
    assert_person(clip)


def mmpose_frames(first: int = 0, step: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "frame_id": first + number * step,
            "instances": [
                {"keypoints": frame[:, :2].tolist(), "keypoint_scores": frame[:, 2].tolist()}
            ],
        }
        for number, frame in enumerate(POINTS)
    ]


def alphapose_frames() -> list[dict[str, Any]]:
    return [
        {"image_id": f"{number}.jpg", "keypoints": (frame * (*SIZE, 1)).ravel().tolist()}
        for number, frame in enumerate(POINTS)
    ]


@pytest.mark.parametrize(
    ("content", "fps"),
    [
        (mmpose_frames(), None),
        ({"meta_info": {}, "instance_info": mmpose_frames(1)}, None),
        ({"instance_info": mmpose_frames(1, step=2), "metadata": {"fps": 30}}, 15),
        (
            {
                "frames": alphapose_frames(),
                "metadata": {"fps": 25, "width": SIZE[0], "height": SIZE[1]},
            },
            25,
        ),
    ],
)
def test_whole_bodies_in_json(tmp_path: Path, content: Any, fps: float | None) -> None:
    path = tmp_path / "cat" / "1.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content), encoding="utf-8-sig")
    (clip,) = read("coco_wholebody", tmp_path)
    assert (clip.gloss, clip.fps) == ("cat", fps)
    assert_person(clip)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "no list of frames"),
        ("[1]", "no list of frames"),
        ('[{"frame_id": 0, "instances": 3}]', "no list of people"),
        ('[{"frame_id": "x", "instances": []}]', "'x' has no frame number"),
        ('[{"frame_id": 0, "instances": []}]', "no person is there"),
        ('[{"image_id": 0, "keypoints": [1, 2]}]', "no list of points"),
        ('[{"frame_id": 0, "keypoints": [[1, 2], [3, 4]]}]', r"shape \(2, 3\), expected 133"),
        ('[{"image_id": 0, "category_id": 1}]', "no list of points|have shape"),
        (json.dumps(mmpose_frames()[0]["instances"] * 2), "the people of one picture.* no clip"),
        ("[", "as JSON"),
    ],
)
def test_json_that_is_no_whole_body(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "1.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read("coco_wholebody", tmp_path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 17, 3)), r"holds \(4, 17, 3\); expected one of frames x 133"),
        (np.where(np.arange(3) == 2, -0.1, POINTS), "third numbers of points are -0.1 to 0;"),
        (POINTS * (1, 1, 3) - (0, 0, 1.5), "third numbers of points are -1.5 to 1.5; expected x"),
        (np.zeros((0, 133, 3)), "it is empty|no person"),
    ],
)
def test_arrays_that_are_no_whole_body(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "1.npy", array)
    with pytest.raises(DataError, match=message):
        read("coco_wholebody", tmp_path)


@pytest.mark.parametrize("swapped", [False, True])
def test_pose_files_follow_one_person(tmp_path: Path, swapped: bool) -> None:
    """A bystander, surer in no frame; the two may change places in the file half way."""
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody

    path = write_pose(tmp_path).path / "cat" / "1.pose"
    pose = Pose.read(path.read_bytes())
    data, sure = pose.body.data.filled(0), pose.body.confidence
    nobody = np.zeros_like(data)
    data = np.concatenate([nobody, np.where(sure[..., None] > 0, data + 50, 0), data], axis=1)
    sure = np.concatenate([sure * 0, sure * 0.4, sure], axis=1)
    if swapped:
        data[FRAMES // 2 :], sure[FRAMES // 2 :] = (
            data[FRAMES // 2 :, ::-1],
            sure[FRAMES // 2 :, ::-1],
        )
    with path.open("wb") as stream:
        Pose(pose.header, NumPyPoseBody(24, data, sure)).write(stream)
    source = opened("pose", path)
    (item,) = source.items
    assert_person(item.read())
    (told,) = source.remarks.lines()
    assert told == "clips with several people, of whom the surest is followed: 1 (1)"


COCO_NAMES = {
    "nose": "nose", "leftEye": "left_eye", "rightEye": "right_eye", "leftEar": "left_ear",
    "rightEar": "right_ear", "leftShoulder": "left_shoulder", "rightShoulder": "right_shoulder",
    "leftElbow": "left_elbow", "rightElbow": "right_elbow", "leftWrist": "left_wrist",
    "rightWrist": "right_wrist",
}  # fmt: skip


def test_openpose_hands_without_a_body(tmp_path: Path) -> None:
    frames = [[one | {"pose_keypoints_2d": []}] for one in openpose_person()]
    write_openpose_frames(tmp_path / "v", frames)
    (clip,) = read("openpose", tmp_path)
    assert_hands(clip)


def assert_hands(clip: Clip) -> None:
    """The person's hands, and nothing else."""
    hands = slice(LEFT_HAND.start, None)
    positions, confidence = person()
    np.testing.assert_allclose(clip.positions[:, hands], positions[:, hands], atol=1e-5)
    np.testing.assert_array_equal(clip.confidence[:, hands] > 0, confidence[:, hands] > 0)
    assert (clip.confidence[:, : LEFT_HAND.start] == 0).all()


@pytest.mark.parametrize("ending", ["", "_133", "_136", None, "hands"])
def test_pose_files_of_whole_bodies(tmp_path: Path, ending: str | None) -> None:
    """In the components of pose-format's mmpose and AlphaPose readers, or all 133 in one."""
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    positions, confidence = person()
    hand = [f"hand_{point}" for point in range(len(MEDIAPIPE_HAND))]
    in_order = sorted(MEDIAPIPE_HAND, key=lambda joint: MEDIAPIPE_HAND[joint])
    if ending is None:
        components = {"wholebody": [f"point_{point}" for point in range(133)]}
        values = POINTS
    elif ending == "hands":
        components = {"LEFT_HAND_LANDMARKS": hand, "RIGHT_HAND_LANDMARKS": hand}
        order = [INDEX[joint + suffix] for suffix in ("_0", "_1") for joint in in_order]
        values = np.concatenate([positions, confidence[..., None]], axis=-1)[:, order]
    else:
        components = {
            f"BODY{ending}": list(COCO_NAMES.values()),
            f"LEFT_HAND{ending}": hand,
            f"RIGHT_HAND{ending}": hand,
        }
        order = [INDEX[joint] for joint in COCO_NAMES]
        order += [INDEX[joint + suffix] for suffix in ("_0", "_1") for joint in in_order]
        values = np.concatenate([positions, confidence[..., None]], axis=-1)[:, order]
    header = PoseHeader(
        version=0.1,
        dimensions=PoseHeaderDimensions(width=SIZE[0], height=SIZE[1], depth=0),
        components=[
            PoseHeaderComponent(name, points, [], [], "XYC") for name, points in components.items()
        ],
    )
    data = (values[..., :2] * SIZE)[:, None].astype(np.float32)
    body = NumPyPoseBody(0, data, values[:, None, :, 2].astype(np.float32))
    with (tmp_path / "1.pose").open("wb") as stream:
        Pose(header, body).write(stream)
    (clip,) = read("pose", tmp_path, fps=30.0)
    assert clip.fps == 30
    (assert_hands if ending == "hands" else assert_person)(clip)


def test_openpose_clips_without_a_gloss(tmp_path: Path) -> None:
    written = write_openpose(tmp_path)
    (clip,) = read("openpose", written.path / "cat")
    assert (clip.clip_id, clip.gloss, clip.signer) == ("1", None, None)
    (clip,) = read("openpose", written.path / "cat" / "1")
    assert (clip.clip_id, clip.gloss) == ("v", None)
    for file in (written.path / "cat" / "1").iterdir():
        file.rename(file.with_name(file.name.removeprefix("v_")))
    (clip,) = read("openpose", written.path / "cat" / "1")
    assert (clip.clip_id, clip.gloss) == ("1", None)
