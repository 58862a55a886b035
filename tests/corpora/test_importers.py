"""One contract for every source format: joints in place, missing ones missing, breakage named."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.source import ImportOptions, read_clips
from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.landmarks import joints_from_holistic
from slr_ray.poses.shards import ShardReader, Skipped
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
    # A second, less certain person stands in front: the importer must not take that one.
    data = np.stack([pixels + 50, pixels], axis=1)
    sure = np.stack([confidence[:, order] * 0.4, confidence[:, order]], axis=1)
    data[sure == 0] = 0
    pose = Pose(header, NumPyPoseBody(24, data.astype(np.float32), sure.astype(np.float32)))
    for gloss in ("cat", "dog"):
        path = folder / gloss / "1.pose"
        path.parent.mkdir(parents=True)
        with path.open("wb") as stream:
            pose.write(stream)
    broken = folder / "cat" / "1.pose"
    return Written(folder, True, lambda: broken.write_bytes(b"no pose") and None)


WRITERS: dict[str, Callable[[Path], Written]] = {
    "spoter_csv": write_spoter_csv,
    "mp_data": write_mp_data,
    "asl_signs": write_asl_signs,
    "pose": write_pose,
}


def read(name: str, path: Path, **options: str | tuple[str, ...] | None) -> list[Clip]:
    source = IMPORTERS[name](path, ImportOptions(**options))  # type: ignore[arg-type]
    clips = list(read_clips(source, skip_broken=False, skipped=[]))
    assert len(clips) == source.num_clips
    return clips


def assert_person(clip: Clip) -> None:
    positions, confidence = person()
    np.testing.assert_array_equal(clip.confidence > 0, confidence > 0)
    np.testing.assert_allclose(clip.positions, positions, atol=1e-5)


def test_every_importer_is_under_the_contract() -> None:
    assert set(IMPORTERS) == set(WRITERS)


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_joint_lands_in_its_place(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    clips = read(name, written.path, glosses=("cat", "dog"), signer="ann")
    assert [clip.gloss for clip in clips] == ["cat", "dog"]
    assert {clip.signer for clip in clips} == ({"p7"} if name == "asl_signs" else {"ann"})
    assert len({clip.clip_id for clip in clips}) == 2
    for clip in clips:
        check_clip(clip)
        assert_person(clip)


@pytest.mark.parametrize("name", IMPORTERS)
def test_a_broken_clip_is_named_or_skipped(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    written.break_first()
    with pytest.raises(DataError, match="--skip-broken"):
        read(name, written.path)
    skipped: list[Skipped] = []
    source = IMPORTERS[name](written.path, ImportOptions())
    (clip,) = read_clips(source, skip_broken=True, skipped=skipped)
    assert_person(clip)
    assert len(skipped) == 1
    assert skipped[0].reason


@pytest.mark.parametrize("name", IMPORTERS)
def test_a_source_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        IMPORTERS[name](tmp_path / "nowhere", ImportOptions())
    with pytest.raises(DataError):
        IMPORTERS[name](tmp_path, ImportOptions())


@pytest.mark.parametrize("name", IMPORTERS)
def test_the_command_writes_a_shard_with_its_origin(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    written = WRITERS[name](folder)
    out = tmp_path / "out" / "clips.parquet"
    arguments = ["import", "--format", name, str(written.path), str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    reader = ShardReader(str(out))
    assert len(list(reader)) == 2
    (provenance,) = reader.provenance()
    assert provenance["source_format"] == name
    assert {"extractor", "version", "settings"} <= set(provenance)
    cells = [line.replace("│", " ").split() for line in result.output.splitlines()]
    for row in (["clips", "2"], ["glosses", "2"], ["frames", "8"], ["skipped", "0"]):
        assert row in cells


def test_the_command_lists_what_it_skipped(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    written.break_first()
    out = tmp_path / "clips.parquet"
    arguments = ["import", "--format", "mp_data", str(written.path), str(out), "--skip-broken"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "cat/0" in result.output
    assert "shape (7,)" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "spoter", "SRC", "OUT"], "no format 'spoter'; there are spoter_csv"),
        (["--format", "pose", "SRC/nowhere", "OUT"], "no such file or folder"),
        (["--format", "mp_data", "SRC", "OUT", "--glosses", "x"], "--glosses is for spoter_csv"),
        (["--format", "spoter_csv", "SRC/clips.csv", "OUT", "--glosses", "SRC/no"], "glosses file"),
        (["--format", "spoter_csv", "SRC/clips.csv", "SRC/clips.csv/x"], "cannot write"),
    ],
)
def test_bad_calls_end_with_one_message(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_spoter_csv(tmp_path)
    places = {"SRC": str(tmp_path), "OUT": str(tmp_path / "out")}
    for word, place in places.items():
        arguments = [argument.replace(word, place) for argument in arguments]
    result = CliRunner().invoke(app, ["import", *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_import_without_any_sound_clip_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.pose").write_bytes(b"no pose")
    out = tmp_path / "out.parquet"
    arguments = ["import", "--format", "pose", str(tmp_path), str(out), "--skip-broken"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "no usable clip: 1 skipped" in result.stderr
    assert not out.exists()


def test_the_command_starts_without_torch_and_ray() -> None:
    script = "import sys, slr_ray.data; print(sorted({'torch', 'ray'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_neck_is_as_sure_as_the_less_certain_shoulder() -> None:
    pose = np.zeros((2, 33, 2))
    pose[:, MEDIAPIPE_BODY["leftShoulder"]] = (0.6, 0.5)
    pose[:, MEDIAPIPE_BODY["rightShoulder"]] = (0.4, 0.3)
    sure = np.zeros((2, 33))
    sure[:, MEDIAPIPE_BODY["leftShoulder"]] = (0.9, 0.9)
    sure[:, MEDIAPIPE_BODY["rightShoulder"]] = (0.7, 0.0)
    hand, unseen = np.full((2, 21, 2), np.nan), np.zeros((2, 21))
    positions, confidence = joints_from_holistic(pose, sure, hand, unseen, hand, unseen)
    neck = INDEX["neck"]
    np.testing.assert_allclose(confidence[:, neck], [0.7, 0], rtol=1e-6)
    np.testing.assert_allclose(positions[:, neck], [[0.5, 0.4], [0, 0]], rtol=1e-6)
    assert (positions[confidence == 0] == 0).all()


def test_spoter_labels_without_names_stay_numbers(tmp_path: Path) -> None:
    clips = read("spoter_csv", write_spoter_csv(tmp_path).path)
    assert [(clip.gloss, clip.signer, clip.fps) for clip in clips] == [
        ("1", "unknown", 25.0),
        ("2", "unknown", 25.0),
    ]


def test_a_spoter_label_beyond_the_glosses_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"label 2 has no name.*1 to 1"):
        read("spoter_csv", write_spoter_csv(tmp_path).path, glosses=("cat",))


def test_spoter_files_with_y_upward_are_turned_round(tmp_path: Path) -> None:
    written = write_spoter_csv(tmp_path, y_up=True)
    for clip in read("spoter_csv", written.path):
        assert_person(clip)
    source = IMPORTERS["spoter_csv"](written.path, ImportOptions())
    assert "turned round" in source.provenance["settings"]["y_axis"]


def test_openpose_bodies_land_in_their_places(tmp_path: Path) -> None:
    for clip in read("pose", write_pose(tmp_path, openpose=True).path):
        assert_person(clip)
        assert clip.fps == 24


def test_one_pose_file_has_no_gloss(tmp_path: Path) -> None:
    write_pose(tmp_path)
    (clip,) = read("pose", tmp_path / "cat" / "1.pose")
    assert (clip.clip_id, clip.gloss, clip.signer) == ("1", None, "unknown")


def test_asl_signs_without_a_listing_has_signers_but_no_glosses(tmp_path: Path) -> None:
    write_asl_signs(tmp_path)
    (tmp_path / "train.csv").unlink()
    clips = read("asl_signs", tmp_path, signer="ann")
    assert [(clip.clip_id, clip.gloss, clip.signer) for clip in clips] == [
        ("p7/cat1", None, "p7"),
        ("p7/dog1", None, "p7"),
    ]
    (alone,) = read(
        "asl_signs", tmp_path / "train_landmark_files" / "p7" / "cat1.parquet", signer="ann"
    )
    assert alone.signer == "ann"


def test_mp_data_of_two_signers_do_not_clash(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    ids = set()
    for signer in ("anna", "ben"):
        source = IMPORTERS["mp_data"](written.path, ImportOptions(signer=signer))
        clips = list(read_clips(source, skip_broken=True, skipped=[]))
        assert clips
        assert {clip.signer for clip in clips} == {signer}
        ids |= {clip.clip_id for clip in clips}
    assert len(ids) == 2 * len(clips)


def test_mp_data_without_a_face(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    for file in written.path.glob("*/*/*.npy"):
        vector = np.load(file)
        np.save(file, np.concatenate([vector[:132], vector[132 + 1404 :]]))
    for clip in read("mp_data", written.path):
        assert_person(clip)


REAL_SOURCES = {
    "spoter_csv": ("spoter_12.csv", 12, 12),
    "mp_data": ("mp_data", 4, 2),
    "asl_signs": ("asl_signs", 3, 0),
    "pose": ("pose_format", 3, 0),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", IMPORTERS)
def test_real_files_hold_upright_people(real_data: Path, name: str) -> None:
    place, num_clips, num_glosses = REAL_SOURCES[name]
    clips = read(name, real_data / "samples" / place)
    assert len(clips) == num_clips
    assert len({clip.clip_id for clip in clips}) == num_clips
    assert len({clip.gloss for clip in clips} - {None}) == num_glosses
    for clip in clips:
        check_clip(clip)
        found = clip.confidence > 0
        assert (clip.positions[~found] == 0).all()
        assert np.abs(clip.positions - 0.5).max() < 1.5

        def share(first: str, second: str, axis: int, clip: Clip = clip) -> float:
            """In how many frames `first` is left of (axis 0) or above (axis 1) `second`."""
            one, two = INDEX[first], INDEX[second]
            both = (clip.confidence[:, [one, two]] > 0).all(axis=1)
            assert both.any()
            return float((clip.positions[both, one, axis] < clip.positions[both, two, axis]).mean())

        # A few signers lean far to one side: most frames must agree, not all.
        assert share("leftEye", "neck", 1) > 0.9
        assert share("rightShoulder", "leftShoulder", 0) > 0.9
        assert share("rightEye", "leftEye", 0) > 0.9
        for hand, own, other in (
            ("wrist_0", "leftWrist", "rightWrist"),
            ("wrist_1", "rightWrist", "leftWrist"),
        ):
            seen = found[:, [INDEX[hand], INDEX[own], INDEX[other]]].all(axis=1)
            if seen.any():
                at = clip.positions[seen]
                to_own = np.linalg.norm(at[:, INDEX[hand]] - at[:, INDEX[own]], axis=-1)
                to_other = np.linalg.norm(at[:, INDEX[hand]] - at[:, INDEX[other]], axis=-1)
                assert (to_own < to_other).mean() > 0.9


@pytest.mark.real_data
def test_the_sign_index_of_asl_signs_is_no_landmark_file(real_data: Path) -> None:
    index = real_data / "samples" / "asl_signs" / "sign_to_prediction_index_map.json"
    assert len(json.loads(index.read_text())) == 250
    with pytest.raises(DataError, match="not a Parquet file"):
        read("asl_signs", index)
