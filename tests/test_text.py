"""Text as people's tools write it: marks, encodings, delimiters, accents, words for splits."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

import pytest

from slr_ray.errors import DataError
from slr_ray.text import (
    decoded,
    is_sidecar,
    known,
    normal_name,
    open_table,
    read_json,
    read_lines,
    read_table,
    split_name,
    table_rows,
)

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_and_their_marks_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text("gloss,signer\r\ncafé,anna\r\n", encoding=encoding)
    assert read_table(path) == (("gloss", "signer"), [{"gloss": "café", "signer": "anna"}])
    path.write_text("café\nthé\n", encoding=encoding)
    assert read_lines(path) == ["café", "thé"]
    assert decoded("été".encode(encoding), "x") == "été"
    path.write_text('{"gloss": "café"}', encoding=encoding)
    assert read_json(path) == {"gloss": "café"}


def test_other_encodings_are_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("gloss\n" + "a\n" * 20000 + "café\n", encoding="latin-1")
    for read in (read_table, read_lines):
        with pytest.raises(DataError, match=r"x\.csv is not UTF-8 text.*save it as UTF-8"):
            read(path)
    path.write_text("café\n", encoding="latin-1")
    with pytest.raises(DataError, match="save it as UTF-8"):
        read_table(path)
    for read in (read_table, read_lines, read_json):
        with pytest.raises(DataError, match=r"cannot read .*nowhere"):
            read(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["", "{oops", "[" * 100_000])
def test_broken_json_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"cannot read .*x\.json.* as JSON"):
        read_json(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_heading_tells_the_delimiter(delimiter: str) -> None:
    lines = [delimiter.join(cells) for cells in (("path", "gloss"), ("a.mp4", '"1, 2; 3"'))]
    assert [*table_rows(lines, "x")[1]] == [{"path": "a.mp4", "gloss": "1, 2; 3"}]


def test_one_column_needs_no_delimiter() -> None:
    assert [*table_rows(["gloss", "a b"], "x")[1]] == [{"gloss": "a b"}]


def test_cells_are_stripped_and_columns_without_a_name_are_left_out() -> None:
    columns, rows = table_rows(["", ", gloss , path", "0,book ,a  b.mp4", "", ",,", "1,x"], "t")
    assert columns == ("gloss", "path")
    assert [*rows] == [{"gloss": "book", "path": "a  b.mp4"}, {"gloss": "x", "path": ""}]


def test_cells_may_hold_lines_and_be_long(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f'a,b\n"{"1 " * 100000}","two\nlines"\n')
    with open_table(path) as (_, rows):
        (row,) = rows
    assert len(row["a"]) == 199999
    assert row["b"] == "two\nlines"


def test_tables_that_do_not_hold_together_are_refused() -> None:
    with pytest.raises(DataError, match=r"t names column 'a' twice"):
        table_rows(["a,a", "1,2"], "t")
    with pytest.raises(DataError, match=r"t, line 3: 3 cells for 2 columns.*quotes"):
        list(table_rows(["a,b", "1,2", "1,2,3"], "t")[1])
    assert [*table_rows(["a,b", "1,2,,"], "t")[1]] == [{"a": "1", "b": "2"}]
    assert table_rows([], "t")[0] == ()


@pytest.mark.parametrize("left", ['"unclosed', '"shut" and more', '"one', '"a ""b" c'])
def test_a_quotation_mark_that_does_not_close_its_cell_is_refused(left: str) -> None:
    """It took the rows after it in, up to the next mark or the end, and nobody was told."""
    lines = ["a,b\n", '1,"two\n', 'lines"\n', f"2,{left}\n", "3,x\n", '4,"y"\n']
    with pytest.raises(DataError, match=r"t as CSV: .* begins with line 4\..* written twice"):
        list(table_rows(lines, "t")[1])
    bars = [line.replace(",", "|") for line in lines]
    found = list(table_rows([bars[0], *bars[3:]], "t", quoted=False)[1])
    assert [row["b"] for row in found] == [left, "x", '"y"']


def test_names_have_one_normal_form() -> None:
    apart = unicodedata.normalize("NFD", "café")
    assert apart != "café"
    assert normal_name(apart) == "café"
    assert normal_name("\ufeff book\u200b ") == "book"
    assert normal_name("thank\u00a0 you\t") == "thank you"
    # A zero-width non-joiner spells another word in Persian.
    assert normal_name("می\u200cروم") == "می\u200cروم"
    assert normal_name("²") == "²"


def test_lines_have_the_normal_form_and_no_blank_end(tmp_path: Path) -> None:
    path = tmp_path / "g.txt"
    path.write_text("a  b\n\n" + unicodedata.normalize("NFD", "é") + "\n\n \n")
    assert read_lines(path) == ["a b", "", "é"]


@pytest.mark.parametrize("text", ["", " ", "nan", "NaN", "<NA>", "None", "null", None])
def test_blanks_that_tools_write_are_not_known(text: str | None) -> None:
    assert known(text) is None


def test_what_is_known_has_its_normal_form() -> None:
    assert known(" anna  b ") == "anna b"
    assert known("0") == "0"


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ("training", "train Train TRAINING"),
        ("validation", "val Valid VALIDATION dev Dev development"),
        ("test", "test TEST Testing"),
    ],
)
def test_words_for_splits(split: str, words: str) -> None:
    for word in words.split():
        assert split_name(f" {word} ") == split


def test_other_words_are_no_split() -> None:
    assert [split_name(word) for word in ("trained", "", "fold 1")] == [None] * 3


@pytest.mark.parametrize(
    "name",
    [
        "._1.npy", "a/.DS_Store", "a/Thumbs.db", "desktop.ini", "__MACOSX/a/1.npy", "@eaDir/1.npy",
        "a/.ipynb_checkpoints/1.npy",
    ],
)  # fmt: skip
def test_files_of_operating_systems_are_no_data(name: str) -> None:
    assert is_sidecar(PurePosixPath(name))


def test_data_is_no_sidecar() -> None:
    assert not any(is_sidecar(PurePosixPath(name)) for name in ("a/1.npy", "a.b/_1.npy", "db/x"))
