"""Isharah's files: hidden test sets, two tasks in one folder, keypoints of another shape."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from importer_factory import assert_person, opened, read
from sentence_sources import isharah_points, write_isharah

from slr_ray.corpora.importers.source import read_clips
from slr_ray.errors import DataError


def as_pickle(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps(content))


def test_a_hidden_test_set_has_clips_without_glosses(tmp_path: Path) -> None:
    write_isharah(tmp_path)
    (tmp_path / "isharah" / "SI" / "SI_test.txt").write_text("id\n02_0007\n")
    source = opened("isharah", tmp_path / "isharah")
    clips = list(read_clips(source, skip_broken=False, skipped=[]))
    hidden = next(one for one in clips if one.clip_id == "02_0007")
    assert (hidden.sentence, hidden.signer) == (None, "02")
    assert source.splits["02_0007"] == "test"
    assert "files that name clips without their glosses: 1 (SI/SI_test.txt)" in (
        source.remarks.lines()
    )


def test_two_tasks_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    root = write_isharah(tmp_path).path
    other = root / "US"
    other.mkdir()
    as_pickle(other / "pose_data_US.pkl", {"01_0001": {"keypoints": isharah_points()}})
    with pytest.raises(DataError, match=r"US\.pkl has '01_0001', which another pickle has too"):
        read("isharah", root)
    (other / "US_train.txt").write_text("id|gloss|text\n01_0001|CAT|x\n", encoding="utf-8")
    with pytest.raises(DataError, match="'01_0001' is there twice"):
        read("isharah", root)


def test_a_quotation_mark_in_a_text_is_only_that(tmp_path: Path) -> None:
    root = write_isharah(tmp_path).path
    lines = ["id|gloss|text", '01_0001|CAT DOG|"قط', '02_0007|DOG|"كلب" قط']
    (root / "SI" / "SI_train.txt").write_text("\n".join(lines), encoding="utf-8")
    (root / "SI" / "SI_test.txt").unlink()
    texts = [clip.sentence and clip.sentence.text for clip in read("isharah", root)]
    assert texts == ['"قط', '"كلب" قط']


def test_keypoints_that_no_annotation_names_are_left_out(tmp_path: Path) -> None:
    root = write_isharah(tmp_path).path
    as_pickle(root / "more.pkl", {"05_0001": {"keypoints": isharah_points()}})
    source = opened("isharah", root)
    assert len(list(read_clips(source, skip_broken=False, skipped=[]))) == 2
    assert source.remarks.lines() == ["keypoints that no annotation names, left out: 1 (05_0001)"]


def test_a_sentence_without_keypoints_is_broken(tmp_path: Path) -> None:
    root = write_isharah(tmp_path).path
    as_pickle(root / "SI" / "pose_data_SI.pkl", {"01_0001": {"keypoints": isharah_points()}})
    with pytest.raises(DataError, match="no pickle has its keypoints"):
        read("isharah", root)


@pytest.mark.parametrize("entry", [None, {}, {"keypoints": None}, {"keypoints": np.zeros((4, 86))}])
def test_keypoints_of_another_shape_are_named(tmp_path: Path, entry: Any) -> None:
    root = write_isharah(tmp_path).path
    content = {"01_0001": entry, "02_0007": {"keypoints": isharah_points()}}
    as_pickle(root / "SI" / "pose_data_SI.pkl", content)
    with pytest.raises(DataError, match=r"SI_train.txt, line 2: its keypoints are .* x 86 x 2"):
        read("isharah", root)


def test_keypoints_in_pixels(tmp_path: Path) -> None:
    root = write_isharah(tmp_path).path
    pixels = isharah_points() * np.array([1280, 720])
    content = {one: {"keypoints": pixels} for one in ("01_0001", "02_0007")}
    as_pickle(root / "SI" / "pose_data_SI.pkl", content)
    for clip in read("isharah", root, picture_size=(1280, 720)):
        assert_person(clip)
