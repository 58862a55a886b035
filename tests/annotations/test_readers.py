"""Files of annotations: what they say, and what is wrong with them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from slr_ray.annotations import READERS
from slr_ray.annotations.annotation import split_in_name
from slr_ray.annotations.csl_daily import read_csl_daily
from slr_ray.annotations.gloss_table import read_gloss_table
from slr_ray.annotations.phoenix import read_phoenix14, read_phoenix14t
from slr_ray.errors import DataError

PHOENIX14 = "id|folder|signer|annotation"


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.corpus.csv", "training"),
        ("train.SI5.corpus.csv", "training"),
        ("PHOENIX-2014-T.dev.corpus.csv", "validation"),
        ("csl-daily-groundtruth-test.stm", "test"),
        ("SI_test.txt", "test"),
        ("poses.csv", None),
    ],
)
def test_a_file_s_name_tells_its_split(name: str, split: str | None) -> None:
    assert split_in_name(name) == split


def test_rows_of_phoenix_that_are_broken_are_named(tmp_path: Path) -> None:
    file = write(
        tmp_path / "train.corpus.csv",
        PHOENIX14,
        "a|a/1/*.png|Signer01|__ON__ WIND",
        "b|b/1/*.png|Signer01",
        "",
        "c|c/1/*.png|Signer02|__ON__ __OFF__",
        "|d/1/*.png|Signer02|WIND",
    )
    read = read_phoenix14(file)
    assert [(one.name, one.glosses, one.folder) for one in read.rows] == [
        ("a", ("WIND",), "train/a/1")
    ]
    assert [(one.clip_id, one.reason) for one in read.broken] == [
        ("b", "3 cells, expected 4"),
        ("c", "no gloss is in its annotation '__ON__ __OFF__'"),
        ("", "it has no name"),
    ]
    assert read.broken[1].source == f"{file}, line 5"


def test_a_sentence_of_two_settings_is_not_read_twice(tmp_path: Path) -> None:
    for setting in ("phoenix-2014-multisigner", "phoenix-2014-signerindependent-SI5"):
        place = tmp_path / setting / "annotations" / "manual" / "train.corpus.csv"
        write(place, PHOENIX14, "a|a/1/*.png|Signer01|WIND")
    with pytest.raises(DataError, match=r"holds several: .*SI5.*Name one"):
        read_phoenix14(tmp_path)
    write(tmp_path / "twice" / "train.corpus.csv", PHOENIX14, *["a|a/1/*.png|S|WIND"] * 2)
    with pytest.raises(DataError, match=r"'a' is there twice: .*line 2 and .*line 3"):
        read_phoenix14(tmp_path / "twice")


def test_a_file_of_the_other_phoenix_is_told(tmp_path: Path) -> None:
    file = write(tmp_path / "train.corpus.csv", PHOENIX14, "a|a/1/*.png|Signer01|WIND")
    with pytest.raises(DataError, match=r"begins with 'id\|folder.*expected name\|video"):
        read_phoenix14t(file)


def test_pictures_are_not_looked_through_for_annotations(tmp_path: Path) -> None:
    write(tmp_path / "features" / "train" / "train.corpus.csv", PHOENIX14, "a|a|S|WIND")
    with pytest.raises(DataError, match=r"no annotations of this format \(looked in \."):
        read_phoenix14(tmp_path)


def test_stm_is_phoenix_s_second_source(tmp_path: Path) -> None:
    write(
        tmp_path / "phoenix2014-groundtruth-dev.stm",
        ";; a comment",
        "a 1 signer05 0.0 1.79769e+308 __ON__ TEMPERATUR  WIE-AUSSEHEN",
        "b 1 signer05 12.5 14.0 WIND",
        "c 1 signer05",
    )
    read = read_phoenix14(tmp_path)
    (row,) = read.rows
    assert (row.name, row.signer, row.split) == ("a", "signer05", "validation")
    assert row.glosses == ("TEMPERATUR", "WIE-AUSSEHEN")
    assert [one.clip_id for one in read.broken] == ["b", "c"]


def test_a_signer_of_phoenix_is_one_in_all_splits(tmp_path: Path) -> None:
    for split, signer in (("train", "Signer05"), ("dev", "signer05")):
        rows = PHOENIX14, f"{split}-0|x/1/*.png|{signer}|WIND"
        write(tmp_path / f"{split}.corpus.csv", *rows)
    assert {one.signer for one in read_phoenix14(tmp_path).rows} == {"signer05"}


def test_signers_of_csl_daily_stand_in_names(tmp_path: Path) -> None:
    line = "S000020_P0007_T00 1 unknown 0.0 1.79769e+308 你们 好"
    write(tmp_path / "csl-daily-groundtruth-train.stm", line, line.replace("P0007", "P0008"))
    read = read_csl_daily(tmp_path)
    assert [one.signer for one in read.rows] == ["P0007", "P0008"]
    assert read.rows[0].glosses == ("你们", "好")
    assert {one.split for one in read.rows} == {"training"}


def test_a_pickle_of_csl_daily_without_its_split(tmp_path: Path) -> None:
    file = tmp_path / "csl2020ct_v2.pkl"
    entry = {"name": "S000020_P0007_T00", "label_gloss": ["你们", "好"], "label_char": ["好"]}
    file.write_bytes(pickle.dumps({"info": [entry]}))
    read = read_csl_daily(file)
    assert read.rows[0].split is None
    assert read.notes == ["no split_1.txt beside csl2020ct_v2.pkl: the splits are not known"]
    file.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match="is not CSL-Daily's"):
        read_csl_daily(file)


def test_a_table_of_sentences(tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.csv",
        "clip_id;glosses;start_ms;end_ms;text;mood",
        'a;CAT DOG;0 400;300 900;"Katze; Hund";glad',
        "b;;;;;",
    )
    read = read_gloss_table(file)
    first, second = read.rows
    assert (first.glosses, first.times_ms) == (("CAT", "DOG"), ((0, 300), (400, 900)))
    assert first.text == "Katze; Hund"
    assert (second.glosses, second.times_ms) == (None, None)
    assert read.notes == ["not used of t.csv: mood"]


def test_a_table_of_one_row_a_gloss_is_put_in_the_order_of_time(tmp_path: Path) -> None:
    file = write(
        tmp_path / "t.csv",
        "clip_id,gloss,start_ms,end_ms",
        "a,DOG,1000,1300",
        "b,CAT,0,40",
        "a,CAT,80,200",
    )
    first, second = read_gloss_table(file).rows
    assert (first.name, first.glosses) == ("a", ("CAT", "DOG"))
    assert first.times_ms == ((80, 200), (1000, 1300))
    assert second.glosses == ("CAT",)


@pytest.mark.parametrize("key", ["start_ms", "end_ms"])
def test_a_row_whose_time_is_no_number_breaks_its_clip_only(tmp_path: Path, key: str) -> None:
    other = {"start_ms": "end_ms", "end_ms": "start_ms"}[key]
    file = write(tmp_path / "t.csv", f"clip_id;gloss;{key};{other}", "b;CAT;;", 'a;DOG;"1.000,5";9')
    read = read_gloss_table(file)
    assert [row.name for row in read.rows] == ["b"]
    (broken,) = read.broken
    assert broken.clip_id == "a"
    assert f"row 2: {key}: could not convert string to float: '1.000,5'" in broken.reason


def test_glosses_in_a_list_may_have_spaces_or_be_numbers(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(json.dumps([{"clip_id": "a", "glosses": ["zwei  Wörter", "DOG", 3]}]))
    (row,) = read_gloss_table(file).rows
    assert row.glosses == ("zwei Wörter", "DOG", "3")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"start_ms": [0, 10], "end_ms": [10, 10]}, "gloss 'DOG' at 10 to 10 ms ends before"),
        ({"start_ms": [0], "end_ms": [10]}, "it has 2 glosses, but times of 1"),
        ({"start_ms": [0, 1], "end_ms": [10]}, "start_ms has 2 values, end_ms 1"),
        ({"start_ms": ["x", 1], "end_ms": [1, 2]}, "could not convert string to float: 'x'"),
        ({"glosses": 3}, "expected a list, found 3"),
        ({"glosses": ["CAT", None]}, "its glosses hold None, expected texts"),
        ({"glosses": [{"gloss": "CAT", "start_ms": 0}]}, "start_ms and end_ms are lists of their"),
        ({"start_ms": [0, float("nan")], "end_ms": [1, 2]}, "'DOG' at nan to 2 ms: expected num"),
        ({"start_ms": [0, 1], "end_ms": [1, float("inf")]}, "'DOG' at 1 to inf ms: expected num"),
    ],
)
def test_entries_of_a_table_that_are_broken_are_named(
    tmp_path: Path, entry: dict[str, object], reason: str
) -> None:
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"a": {"glosses": ["CAT", "DOG"], **entry}}))
    read = read_gloss_table(file)
    assert not read.rows
    assert [one.clip_id for one in read.broken] == ["a"]
    assert reason in read.broken[0].reason


@pytest.mark.parametrize("content", ["[1]", "{}", '"x"'])
def test_json_of_another_kind_is_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "t.json"
    file.write_text(content)
    with pytest.raises(DataError):
        read_gloss_table(file)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_names_a_place_where_nothing_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no such file"):
        READERS[name](tmp_path / "nowhere")
