"""What a source does not hold is missing, however it is spelled, and the user is told."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from importer_factory import (
    FRAMES,
    WRITERS,
    assert_person,
    opened,
    read,
    write_asl_signs,
    write_mp_data,
    write_openpose,
    write_spoter_csv,
)

from slr_ray.corpora.importers.missing import found, frame_rows, spread, step_of
from slr_ray.corpora.importers.people import People
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.errors import DataError
from slr_ray.poses.skeleton import INDEX, LEFT_HAND


def test_nan_zero_and_no_confidence_are_missing() -> None:
    positions = np.array([[0.2, 0.3], [np.nan, 0.3], [0.2, np.inf], [0, 0], [0.2, 0.3], [0, 0.3]])
    confidence = np.array([0.5, 1, 1, 1, 0, 7])
    there, sure = found(positions, confidence)
    np.testing.assert_array_equal(sure, [0.5, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(there[sure == 0], 0)
    np.testing.assert_array_equal(there[[0, 5]], positions[[0, 5]])
    _, without = found(positions)
    np.testing.assert_array_equal(without, [1, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(found(positions[:1], np.array([np.nan]))[1], [0])


@pytest.mark.parametrize("blank", ["nan", "null", "NaN", "0"])
def test_spoter_cells_spell_missing_in_many_ways(tmp_path: Path, blank: str) -> None:
    path = write_spoter_csv(tmp_path).path
    rewrite(
        path, lambda name, cell: cell.replace("0.0,", f"{blank},") if "_left_" in name else cell
    )
    for clip in read("spoter_csv", path):
        assert_person(clip)


@pytest.mark.parametrize("blank", ["", "[]", "nan"])
def test_a_blank_cell_is_missing_in_all_frames(tmp_path: Path, blank: str) -> None:
    path = write_spoter_csv(tmp_path).path
    rewrite(path, lambda name, cell: blank if "_left_" in name else cell)
    for clip in read("spoter_csv", path):
        assert clip.num_frames == FRAMES
        assert (clip.confidence[:, LEFT_HAND] == 0).all()
        assert (clip.confidence[:, INDEX["nose"]] == 1).all()


def test_lists_as_numpy_prints_them(tmp_path: Path) -> None:
    path = write_spoter_csv(tmp_path).path
    rewrite(
        path,
        lambda name, cell: (
            "[" + " ".join(f"np.float64({one})" for one in json.loads(cell)) + "]"
            if name.startswith("nose")
            else cell
        ),
    )
    for clip in read("spoter_csv", path):
        assert_person(clip)


def test_joints_without_columns_are_missing_and_told(tmp_path: Path) -> None:
    path = write_spoter_csv(tmp_path).path
    with path.open(newline="") as stream:
        rows = [
            {name: cell for name, cell in row.items() if not name.startswith("nose")}
            for row in csv.DictReader(stream)
        ]
    write_rows(path, rows)
    source = opened("spoter_csv", path)
    assert (next(iter(source.items)).read().confidence[:, INDEX["nose"]] == 0).all()
    assert source.remarks.lines() == ["joints without columns, taken as not found: 1 (nose)"]
    write_rows(path, [{"labels": "1", "nose_X": "[0.5]"}])
    with pytest.raises(DataError, match=r"is not SPOTER's CSV: 107 of 108"):
        opened("spoter_csv", path)


def rewrite(path: Path, change: Callable[[str, str], str]) -> None:
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    write_rows(path, [{name: change(name, cell) for name, cell in row.items()} for row in rows])


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("spelling", ["zero", "null", "no rows"])
def test_landmark_files_spell_missing_in_many_ways(tmp_path: Path, spelling: str) -> None:
    written = write_asl_signs(tmp_path)
    for file in written.path.rglob("*.parquet"):
        table = pq.read_table(file)
        gone = pc.is_nan(table["x"])
        if spelling == "no rows":
            table = table.filter(pc.invert(gone))
        else:
            for name in ("x", "y"):
                value = 0.0 if spelling == "zero" else pa.scalar(None, pa.float64())
                filled = pc.if_else(gone, value, table[name])
                table = table.set_column(table.column_names.index(name), name, filled)
        pq.write_table(table, file)
    for clip in read("asl_signs", written.path):
        assert_person(clip)


def test_nan_in_a_vector_is_a_hand_that_was_not_found(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    for file in written.path.glob("*/*/*.npy"):
        vector = np.load(file)
        vector[-126:] = np.where(vector[-126:] == 0, np.nan, vector[-126:])
        vector[-126:][2::3] = 0
        np.save(file, vector)
    for clip in read("mp_data", written.path):
        assert_person(clip)


def test_absent_frames_are_frames_without_joints() -> None:
    remarks = Remarks()
    rows = frame_rows(np.array([3, 4, 8]), "a", remarks)
    np.testing.assert_array_equal(rows, [0, 1, 5])
    np.testing.assert_array_equal(spread(np.array([1.0, 2, 3]), rows), [1, 2, 0, 0, 0, 3])
    assert remarks.lines() == ["clips with absent frames, taken as frames without any joint: 1 (a)"]


@pytest.mark.parametrize(
    ("numbers", "step"), [([5], 1), ([5, 6, 7], 1), ([0, 2, 4], 2), ([100, 200], 100)]
)
def test_numbers_in_steps_leave_nothing_out(numbers: list[int], step: int) -> None:
    remarks = Remarks()
    np.testing.assert_array_equal(
        frame_rows(np.array(numbers), "a", remarks), np.arange(len(numbers))
    )
    assert ["numbered in steps" in line for line in remarks.lines()] == [True] * (step > 1)
    assert step_of(np.array(numbers)) == step


def test_the_rate_of_every_second_frame_is_half_the_video_s() -> None:
    frames = [np.ones((1, 133, 3))] * 3
    for numbers, fps in (([1, 3, 5], 15), ([0, 1, 2], 30), ([0, 3, 12], 10), ([0, 33, 67], 30)):
        assert People(np.array(numbers), frames, 30.0).fps == fps
    assert People(np.array([1, 3, 5]), frames).fps is None


def test_numbers_that_are_times_are_taken_in_order() -> None:
    remarks = Remarks()
    np.testing.assert_array_equal(frame_rows(np.array([0, 33, 67, 100]), "a", remarks), range(4))
    assert "follow no step" in remarks.lines()[0]


def test_numbers_that_can_not_count_frames_are_refused() -> None:
    with pytest.raises(DataError, match="only 3 are there and 99997 absent"):
        frame_rows(np.array([0, 1, 99_999]), "a", Remarks())
    with pytest.raises(DataError, match="frame 1 is there twice"):
        frame_rows(np.array([0, 1, 1, 2]), "a", Remarks())


def test_gaps_in_files_and_rows_are_told(tmp_path: Path) -> None:
    mp_data = write_mp_data(tmp_path / "mp").path
    (mp_data / "cat" / "0" / "9.npy").unlink()
    openpose = write_openpose(tmp_path / "op").path
    (openpose / "cat" / "1" / "v_000000000001_keypoints.json").unlink()
    (tmp_path / "asl").mkdir()
    asl_signs = write_asl_signs(tmp_path / "asl").path
    file = asl_signs / "train_landmark_files" / "p7" / "cat1.parquet"
    table = pq.read_table(file)
    pq.write_table(table.filter(pc.not_equal(table["frame"], 21)), file)
    for name, path in (("mp_data", mp_data), ("openpose", openpose), ("asl_signs", asl_signs)):
        source = opened(name, path)
        first, second = (item.read() for item in source.items)
        assert first.num_frames == second.num_frames == FRAMES
        assert (first.confidence[1] == 0).all()
        assert "absent frames" in source.remarks.lines()[0]


def test_other_depths_and_empty_folders_are_told(tmp_path: Path) -> None:
    path = write_mp_data(tmp_path).path
    shutil.copytree(path / "cat" / "0", path / "Test" / "thanks" / "0")
    (path / "yes" / "0").mkdir(parents=True)
    (path / "no").mkdir()
    source = opened("mp_data", path)
    assert source.num_clips == 2
    assert source.remarks.lines() == [
        "left out, as it is not GLOSS/SEQUENCE: 1 (Test/thanks/0)",
        "left out, as it holds no array: 2 (no, yes/0)",
    ]
    shutil.rmtree(path / "cat")
    shutil.rmtree(path / "dog")
    with pytest.raises(DataError, match=r"first array is MP_Data/Test/.*holds the glosses"):
        opened("mp_data", tmp_path)


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "spoter_csv"])
def test_files_of_operating_systems_are_no_clips(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    data = (".npy", ".parquet", ".pose", ".json")
    for file in [one for one in written.path.rglob("*") if one.suffix in data]:
        file.with_name(f"._{file.name}").write_bytes(b"\0\5\26\7")
        copy = written.path / "__MACOSX" / file.relative_to(written.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"\0\5\26\7")
    source = opened(name, written.path)
    assert source.num_clips == 2
    for item in source.items:
        assert_person(item.read())
    assert source.remarks.lines() == []


def test_a_listing_with_paths_of_another_machine(tmp_path: Path) -> None:
    write_asl_signs(tmp_path)
    listing = tmp_path / "train.csv"
    text = listing.read_text()
    for start in ("/kaggle/input/asl-signs/", "../asl-signs/", "C:\\data\\"):
        listing.write_text(text.replace("train_landmark_files/", f"{start}train_landmark_files/"))
        clips = read("asl_signs", tmp_path)
        assert [clip.clip_id for clip in clips] == ["p7/cat1", "p7/dog1"]


def test_a_listing_with_a_blank_path_and_too_few_files(tmp_path: Path) -> None:
    write_asl_signs(tmp_path)
    listing = tmp_path / "train.csv"
    heading, first, second = listing.read_text().splitlines()
    listing.write_text("\n".join([heading + ",fold", first + ",1", ",p7,x,dog,1"]))
    source = opened("asl_signs", tmp_path)
    cat, blank = source.items
    assert cat.read().gloss == "cat"
    with pytest.raises(DataError, match="its path is blank"):
        blank.read()
    assert source.remarks.lines() == [
        "columns of train.csv ignored: 1 (fold)",
        "files that train.csv does not list, left out: 1 (train_landmark_files/p7/dog1.parquet)",
    ]
    listing.write_text("\n".join([heading, second.replace("dog1.parquet", "gone.parquet")]))
    with pytest.raises(DataError, match="no such file"):
        read("asl_signs", tmp_path)


def test_landmark_files_without_their_listing(tmp_path: Path) -> None:
    """As where somebody gives the folder of the files, and `train.csv` lies beside it."""
    write_asl_signs(tmp_path)
    files = tmp_path / "train_landmark_files"
    missing = "there is no train.csv, so no clip has a gloss"
    assert opened("asl_signs", files).remarks.lines() == [
        f"{missing}: give {str(tmp_path)!r}, which has one"
    ]
    (tmp_path / "train.csv").unlink()
    assert opened("asl_signs", files).remarks.lines() == [missing]
    assert {clip.gloss for clip in read("asl_signs", files)} == {None}


def test_landmark_files_that_make_no_sense(tmp_path: Path) -> None:
    write_asl_signs(tmp_path)
    file = tmp_path / "train_landmark_files" / "p7" / "cat1.parquet"
    table = pq.read_table(file)

    def broken(name: str, column: pa.ChunkedArray | pa.Array) -> None:
        pq.write_table(table.set_column(table.column_names.index(name), name, column), file)
        read("asl_signs", tmp_path)

    with pytest.raises(DataError, match="column 'x'"):
        broken("x", pa.array(["here"] * len(table)))
    with pytest.raises(DataError, match=r"column 'frame'.* blanks"):
        broken("frame", pa.nulls(len(table), pa.int64()))
    with pytest.raises(DataError, match="pose has landmark -1"):
        broken("landmark_index", pc.subtract(table["landmark_index"], 1))
    with pytest.raises(DataError, match="comes twice in one frame"):
        broken("frame", pa.array([20] * len(table)))
