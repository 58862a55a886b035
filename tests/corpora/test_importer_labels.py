"""Glosses and signers come out as the source means them, or the import stops or says so."""

from __future__ import annotations

import csv
import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from importer_factory import (
    opened,
    read,
    write_asl_signs,
    write_mp_data,
    write_pose,
    write_spoter_csv,
)
from typer.testing import CliRunner

from slr_ray.corpora.importers.asked import read_options
from slr_ray.corpora.importers.gloss_list import read_glosses
from slr_ray.corpora.importers.source import read_clips
from slr_ray.data import app
from slr_ray.errors import DataError
from slr_ray.poses.shards import ShardReader

NAMES = ("book", "drink", "computer", "go")


def table(folder: Path, labels: list[str], **extra: list[str]) -> Path:
    """A SPOTER file with one row a label and the extra columns; a label column of None has none."""
    path = write_spoter_csv(folder).path
    with path.open(newline="") as stream:
        row = next(iter(csv.DictReader(stream)))
    columns = {"labels": labels, **extra}
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(row | dict.fromkeys(extra, "")))
        writer.writeheader()
        for cells in zip(*columns.values(), strict=True):
            writer.writerow(row | dict(zip(columns, cells, strict=True)))
    return path


def glosses_of(path: Path, **options: object) -> list[str | None]:
    return [clip.gloss for clip in read("spoter_csv", path, **options)]


def test_labels_from_0_stop_the_import_and_name_the_option(tmp_path: Path) -> None:
    path = table(tmp_path, ["0", "1", "2", "3"])
    with pytest.raises(DataError, match=r"run from 0 to 3.*--labels-from 0") as stopped:
        opened("spoter_csv", path, glosses=NAMES)
    assert "--skip-broken" not in str(stopped.value)
    assert glosses_of(path, glosses=NAMES, labels_from=0) == list(NAMES)


def test_skip_broken_never_shifts_labels(tmp_path: Path) -> None:
    path = table(tmp_path, ["0", "1", "2"])
    names = tmp_path / "names.txt"
    names.write_text("\n".join(NAMES))
    out = tmp_path / "o.parquet"
    arguments = ["import", str(path), str(out), "--format", "spoter_csv", "--glosses", str(names)]
    stopped = CliRunner().invoke(app, [*arguments, "--skip-broken"])
    assert stopped.exit_code == 2
    assert not out.exists()
    assert CliRunner().invoke(app, [*arguments, "--labels-from", "0"]).exit_code == 0
    assert [clip.gloss for clip in ShardReader(str(out))] == list(NAMES[:3])


@pytest.mark.parametrize(
    ("labels", "labels_from"), [(["1", "5"], None), (["0", "4"], 0), (["-1"], None), (["0"], 1)]
)
def test_labels_that_no_name_fits_stop_the_import(
    tmp_path: Path, labels: list[str], labels_from: int | None
) -> None:
    with pytest.raises(DataError, match="has no name: counted from"):
        opened("spoter_csv", table(tmp_path, labels), glosses=NAMES, labels_from=labels_from)


def test_labels_that_fit_both_conventions_are_told(tmp_path: Path) -> None:
    both = opened("spoter_csv", table(tmp_path, ["1", "2", "3"]), glosses=NAMES)
    assert "1 is 'book'; --labels-from 0" in "\n".join(both.remarks.lines())
    clear = opened("spoter_csv", table(tmp_path, ["1", "4"]), glosses=NAMES)
    assert clear.remarks.lines() == []


def test_names_in_the_table_are_used(tmp_path: Path) -> None:
    path = table(tmp_path, ["0", "1", "0"], label_name=["book", "drink", ""])
    assert glosses_of(path) == ["book", "drink", "book"]
    assert glosses_of(path, glosses=NAMES, labels_from=0) == ["book", "drink", "book"]


def test_a_list_that_contradicts_the_table_stops_the_import(tmp_path: Path) -> None:
    path = table(tmp_path, ["1", "2"], gloss=["drink", "computer"])
    with pytest.raises(DataError, match=r"label 1 is 'book'.*'drink' in the table.*from 0"):
        opened("spoter_csv", path, glosses=NAMES)
    assert glosses_of(path, glosses=NAMES, labels_from=0) == ["drink", "computer"]


@pytest.mark.parametrize(
    ("labels", "extra"), [(["1", "4"], {}), (["1", "2"], {"gloss": ["book", "drink"]})]
)
def test_a_list_with_numbers_of_its_own_is_not_counted_otherwise(
    tmp_path: Path, labels: list[str], extra: dict[str, list[str]]
) -> None:
    """The advice was to pass an option which the file's own numbers forbid."""
    path, names = table(tmp_path, labels, **extra), tmp_path / "names.txt"
    names.write_text("\n".join(f"{number} {name}" for number, name in enumerate(NAMES)))
    options = read_options("spoter_csv", None, names, None, None, None, None)
    with pytest.raises(DataError, match="or one in their order without numbers") as stopped:
        opened("spoter_csv", path, **vars(options))
    assert "--labels-from" not in str(stopped.value)


def test_a_label_of_two_names_or_of_none_stops_the_import(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"label 1 is called 'a' and 'b'"):
        opened("spoter_csv", table(tmp_path, ["1", "1"], sign=["a", "b"]))
    with pytest.raises(DataError, match=r"label 2 has no name in any row"):
        opened("spoter_csv", table(tmp_path, ["1", "2"], sign=["a", ""]))


@pytest.mark.parametrize("label", ["inf", "1e400", "-inf", "2.5", "two"])
def test_labels_that_are_no_whole_numbers_are_broken_clips(tmp_path: Path, label: str) -> None:
    path = table(tmp_path, ["1", label])
    with pytest.raises(
        DataError, match=rf"row 2: label '{label}' is not a.* number.*--skip-broken"
    ):
        read("spoter_csv", path)


@pytest.mark.parametrize("label", ["", "nan", "NaN"])
def test_blank_labels_are_clips_without_gloss(tmp_path: Path, label: str) -> None:
    path = table(tmp_path, ["1", label])
    source = opened("spoter_csv", path)
    assert [item.read().gloss for item in source.items] == ["1", None]
    assert any("blank" in line for line in source.remarks.lines())


def test_labels_may_be_names(tmp_path: Path) -> None:
    path = table(tmp_path, ["book", "thank  you"])
    assert glosses_of(path) == ["book", "thank you"]
    with pytest.raises(DataError, match="leave --glosses out"):
        opened("spoter_csv", path, glosses=NAMES)


def test_other_columns_are_used_or_named(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        ["1", "2", "1", "2"],
        signer_id=["ann", "", "nan", "ben"],
        video_fps=["30", "", "inf", "29,97"],
        split=["train", "val", "test", "test"],
        url=["a", "b", "c", "d"],
    )
    clips = read("spoter_csv", path, signer="ben", fps=25.0)
    assert [clip.signer for clip in clips] == ["ann", "ben", "ben", "ben"]
    assert [clip.fps for clip in clips] == [30, 25, 25, 25]
    source = opened("spoter_csv", path)
    list(read_clips(source, skip_broken=False, skipped=[]))
    told = "\n".join(source.remarks.lines())
    assert "frame rate is no number above 0, not used: 2 (clips/000003, clips/000004)" in told
    assert "columns ignored: 2 (split, url)" in told
    assert "split.kind=file" in told


def test_a_blank_participant_is_the_signer_that_was_named(tmp_path: Path) -> None:
    write_asl_signs(tmp_path)
    listing = tmp_path / "train.csv"
    listing.write_text(listing.read_text().replace(",p7,cat1,cat", ",,cat1,"))
    first, second = read("asl_signs", tmp_path, signer="ann")
    assert (first.signer, first.gloss) == ("ann", None)
    assert (second.signer, second.gloss) == ("p7", "dog")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """A blank participant was once written as a signer that `data inspect` refused."""
    source = tmp_path / "s"
    source.mkdir()
    write_asl_signs(source)
    listing = source / "train.csv"
    listing.write_text(listing.read_text().replace(",p7,", ", ,"))
    out = tmp_path / "o.parquet"
    arguments = ["import", str(source), str(out), "--format", "asl_signs"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert len(list(ShardReader(str(out)))) == 2


def test_glosses_have_the_normal_form(tmp_path: Path) -> None:
    written = write_mp_data(tmp_path)
    apart = unicodedata.normalize("NFD", "café")
    (written.path / "cat").rename(written.path / apart)
    assert {clip.gloss for clip in read("mp_data", written.path)} == {"café", "dog"}


def test_folders_of_splits_are_no_glosses(tmp_path: Path) -> None:
    write_pose(tmp_path)
    (tmp_path / "cat").rename(tmp_path / "Train")
    (tmp_path / "dog").rename(tmp_path / "val")
    source = opened("pose", tmp_path)
    assert [item.read().gloss for item in source.items] == [None, None]
    assert any("folders Train, val are splits" in line for line in source.remarks.lines())


def test_folders_above_the_glosses_are_named(tmp_path: Path) -> None:
    write_pose(tmp_path / "train")
    source = opened("pose", tmp_path)
    assert [item.read().gloss for item in source.items] == ["cat", "dog"]
    assert source.remarks.lines() == ["folders above the glosses are not used: 1 (train)"]


@pytest.mark.parametrize(
    ("name", "content", "first"),
    [
        ("g.txt", "book\ndrink\n", None),
        ("g.txt", "0\tbook\n1\tdrink\n", 0),
        ("g.txt", "1 book\n2 drink", 1),
        ("g.csv", "id,gloss\n0,book\n1,drink\n", 0),
        ("g.json", json.dumps(["book", "drink"]), None),
        ("g.json", json.dumps({"drink": 1, "book": 0}), 0),
        ("g.json", json.dumps({"1": "book", "2": "drink"}), 1),
    ],
)
def test_lists_of_glosses(tmp_path: Path, name: str, content: str, first: int | None) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8-sig")
    assert read_glosses(path) == (("book", "drink"), first)


def test_names_that_begin_with_a_number_are_names(tmp_path: Path) -> None:
    path = tmp_path / "g.txt"
    path.write_text("1 dollar\n5 dollars\n")
    assert read_glosses(path) == (("1 dollar", "5 dollars"), None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g.txt", "", "names no gloss"),
        ("g.txt", "book\n\ndrink\n", "line 2 names no gloss"),
        ("g.txt", "book\ndrink\nbook \n", r"line 3 names 'book' again \(line 1 does too\)"),
        ("g.json", "3", "is no list of glosses"),
        ("g.json", '{"book": 3, "drink": 5}', "do not run from 0 or 1"),
    ],
)
def test_broken_lists_of_glosses(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_glosses(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels-from", "0"], "give both, or neither"),
        (["--glosses", "LIST", "--labels-from", "2"], "labels count from 0 or from 1"),
        (["--glosses", "LIST", "--labels-from", "1"], "numbers its glosses from 0"),
        (["--fps", "0"], "--fps is 0"),
        (["--fps", "nan"], "--fps is nan"),
        (["--signer", " "], "names nobody"),
        (["--picture-size", "640x480"], "--picture-size is for openpose, coco_wholebody"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: list[str], message: str) -> None:
    path = table(tmp_path, ["0"])
    (tmp_path / "g.txt").write_text("0 book\n1 drink\n")
    options = [option.replace("LIST", str(tmp_path / "g.txt")) for option in options]
    arguments = ["import", str(path), str(tmp_path / "o"), "--format", "spoter_csv", *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.real_data
def test_the_index_of_asl_signs_is_a_list_of_glosses(real_data: Path) -> None:
    names, first = read_glosses(
        real_data / "samples" / "asl_signs" / "sign_to_prediction_index_map.json"
    )
    assert (len(names), first) == (250, 0)
    assert np.unique(names).size == 250
