"""One contract for every source format: joints in place, missing ones missing, breakage named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from importer_factory import (
    MEDIAPIPE_BODY,
    WRITERS,
    assert_person,
    read,
    write_asl_signs,
    write_mp_data,
    write_pose,
    write_spoter_csv,
)
from typer.testing import CliRunner

from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.source import ImportOptions, read_clips
from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.landmarks import joints_from_holistic
from slr_ray.poses.shards import ShardReader, Skipped
from slr_ray.poses.skeleton import INDEX


@pytest.mark.parametrize("name", WRITERS)
def test_every_joint_lands_in_its_place(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    clips = read(name, written.path, glosses=("cat", "dog"), signer="ann")
    assert [clip.gloss for clip in clips] == ["cat", "dog"]
    assert {clip.signer for clip in clips} == ({"p7"} if name == "asl_signs" else {"ann"})
    assert len({clip.clip_id for clip in clips}) == 2
    for clip in clips:
        check_clip(clip)
        assert_person(clip)


@pytest.mark.parametrize("name", WRITERS)
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


@pytest.mark.parametrize("name", WRITERS)
def test_a_source_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        IMPORTERS[name](tmp_path / "nowhere", ImportOptions())
    with pytest.raises(DataError):
        IMPORTERS[name](tmp_path, ImportOptions())


@pytest.mark.parametrize("name", WRITERS)
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
    "command",
    [
        ["import", "--format", "pose", "nowhere"],
        ["chain", "nowhere"],
        ["inspect", "nowhere", "--out"],
    ],
)
def test_a_uri_to_write_to_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*command, "s3://key:hush@bucket/x.parquet"])
    assert result.exit_code == 2
    assert "cannot write 's3://***@bucket/x.parquet': this is written to a lo" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_source_is_not_replaced_by_what_is_made_of_it(tmp_path: Path) -> None:
    source = write_asl_signs(tmp_path).path / "train_landmark_files" / "p7" / "cat1.parquet"
    before = source.read_bytes()
    arguments = ["import", "--format", "asl_signs", str(source), str(source.parent)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "would be replaced: name another OUT" in result.stderr
    assert source.read_bytes() == before


def test_a_shard_may_end_in_capital_letters(tmp_path: Path) -> None:
    """One clip is a shard's of another name already; both are found in their folder."""
    written, out = write_pose(tmp_path / "source").path, tmp_path / "out"
    for name, source in (("X.PARQUET", written), ("y.parquet", written / "cat" / "1.pose")):
        arguments = ["import", "--format", "pose", str(source), str(out / name)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert (out / name).is_file()
    assert len(list(ShardReader(str(out)))) == 3
    again = CliRunner().invoke(
        app, ["import", "--format", "pose", str(written), f"{out}/z.Parquet"]
    )
    assert "same clip ids" in again.output
    assert "X.PARQUET" in again.output


def test_clip_ids_of_other_shards_in_the_folder_are_told(tmp_path: Path) -> None:
    for name in ("ann", "ben"):
        write_pose(tmp_path / name)
    out = tmp_path / "out"
    (out / "x").mkdir(parents=True)
    (out / "other.parquet").write_bytes(b"no shard")
    results = [
        CliRunner().invoke(app, ["import", "--format", "pose", str(tmp_path / name), str(out)])
        for name in ("ann", "ben", "ben")
    ]
    assert [result.exit_code for result in results] == [0, 0, 0]
    assert "same clip ids" not in results[0].output
    assert "same clip ids" in results[1].output
    assert "ann.parquet" in results[1].output
    assert ["is replaced" in result.output for result in results] == [False, False, True]


def test_links_to_folders_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "cat").symlink_to(written.path / "cat")
    (linked / "again").symlink_to(linked)
    (clip,) = read("mp_data", linked)
    assert clip.gloss == "cat"
    assert_person(clip)


def test_names_in_brackets_are_no_markup(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    (written.path / "dog").rename(written.path / "[bold]")
    (written.path / "[bold]" / "0").rename(written.path / "[bold]" / "[")
    (written.path / "[bold]" / "[" / "]0.npy").write_bytes(b"")
    out = tmp_path / "[" / "[b].parquet"
    arguments = ["import", "--format", "mp_data", str(written.path), str(out), "--skip-broken"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    assert "[bold]/[" in result.output


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
        ("1", None, 25.0),
        ("2", None, 25.0),
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
    assert (clip.clip_id, clip.gloss, clip.signer) == ("1", None, None)


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
@pytest.mark.parametrize("name", REAL_SOURCES)
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
