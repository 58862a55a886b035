"""Text of other people's files: its encoding, its tables, and one normal form for names.

Excel and Notepad begin a file with a byte order mark, a Mac writes accents as letters of their own,
and a European Excel parts cells with semicolons. None of that may make two names of one.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from slr_ray.errors import DataError

Row = dict[str, str]

_MARKS = (
    # The mark of UTF-32 begins with that of UTF-16, so it is looked for first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t", "|")
_CELL_LIMIT = 2**31 - 1
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b"))
_BLANK = ("", "nan", "<na>", "null", "none")
_SPLITS = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "devel": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
_SIDECARS = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir")


def normal_name(text: str) -> str:
    """A name as it is compared and stored: NFC, single spaces, none around it.

    Byte order marks and zero-width spaces go; joiners stay, as some scripts spell with them.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def known(text: str | None) -> str | None:
    """The normal form of a cell, None where it is blank or says NaN, null or None as tools do.

    For signers, splits and numbers. A gloss may be called NONE: only an empty one is blank.
    """
    name = normal_name(text or "")
    return None if name.lower() in _BLANK else name


def split_name(text: str) -> str | None:
    """`training`, `validation` or `test` for the words that people use; None for any other."""
    return _SPLITS.get(normal_name(text).lower())


def is_sidecar(path: PurePath) -> bool:
    """Whether an operating system put the file, or a folder on its way, beside the data.

    Hidden files count: `._clip.npy` and `.DS_Store` of a Mac among them. Give the path below the
    folder that the user named, since that one may be hidden itself.
    """
    return any(part.startswith(".") or part.lower() in _SIDECARS for part in path.parts)


def decoded(content: bytes, source: str) -> str:
    """UTF-8 text, or what the byte order mark says; the mark goes. `DataError` names `source`."""
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        raise _not_text(source, error) from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in their normal form; blank ones at its end are left out."""
    lines = [normal_name(line) for line in _read(path).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def read_json(path: Path) -> Any:
    """What a JSON file holds; NaN and Infinity, which Python writes, are read as numbers."""
    try:
        return json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"cannot read {str(path)!r} as JSON: {error}") from None


def read_table(path: Path, *, quoted: bool = True) -> tuple[tuple[str, ...], list[Row]]:
    """The columns of a CSV file and all its rows; see `table_rows`."""
    with open_table(path, quoted=quoted) as (columns, rows):
        return columns, list(rows)


@contextmanager
def open_table(
    path: Path, *, quoted: bool = True
) -> Iterator[tuple[tuple[str, ...], Iterator[Row]]]:
    """A CSV file's columns and its rows one by one, for files that do not fit in memory."""
    try:
        with path.open("rb") as binary:
            encoding = _encoding(binary.read(4))
            binary.seek(0)
            with io.TextIOWrapper(binary, encoding=encoding, newline="") as stream:
                yield table_rows(stream, str(path), quoted=quoted)
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror or error}") from None


def table_rows(
    lines: Iterable[str], source: str, *, quoted: bool = True
) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The columns of a table that is text, and its rows by column, every cell stripped.

    The heading tells whether cells are parted by comma, semicolon, tab or bar. Columns have their
    normal form; cells keep theirs, as they may be paths. A cell that is not there is blank; blank
    lines and columns without a name are left out. With `quoted`, a cell may stand in quotation
    marks; without it, a mark is only that. `DataError` where a column's name appears twice, and,
    while rows are read, where one has more cells than there are columns, or a quotation mark that
    nothing closes.
    """
    csv.field_size_limit(_CELL_LIMIT)
    found = iter(lines)
    try:
        heading = next((line for line in found if line.strip()), "")
    except UnicodeDecodeError as error:
        raise _not_text(source, error) from None
    delimiter = max(_DELIMITERS, key=lambda one: len(next(csv.reader([heading], delimiter=one))))
    names = [normal_name(name) for name in next(csv.reader([heading], delimiter=delimiter))]
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise DataError(f"{source} names column {doubled[0]!r} twice: remove or rename one")
    return tuple(name for name in names if name), _rows(found, names, delimiter, source, quoted)


def _rows(
    lines: Iterator[str], names: list[str], delimiter: str, source: str, quoted: bool
) -> Iterator[Row]:
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        # A cell that is left open would take all that follows, to the next mark or the end.
        strict=True,
    )
    begin = 2
    try:
        while (cells := next(reader, None)) is not None:
            line, begin = begin, reader.line_num + 2
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(names) :]):
                hint = f"; put cells that hold {delimiter!r} in quotes" if quoted else ""
                raise DataError(
                    f"{source}, line {line}: {len(cells)} cells for {len(names)} columns{hint}"
                )
            padded = [*cells, *[""] * (len(names) - len(cells))]
            row = zip(names, padded, strict=False)
            yield {name: cell.strip() for name, cell in row if name}
    except UnicodeDecodeError as error:
        raise _not_text(source, error) from None
    except csv.Error as error:
        hint = (
            ". A cell that begins with a quotation mark ends with one; within it they are written "
            "twice"
        )
        raise DataError(
            f"cannot read {source} as CSV: {error}, in the row that begins with line {begin}"
            f"{hint if quoted else ''}"
        ) from None


def _read(path: Path) -> str:
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror or error}") from None


def _encoding(content: bytes) -> str:
    return next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8-sig")


def _not_text(source: str, error: UnicodeDecodeError) -> DataError:
    return DataError(
        f"{source} is not {error.encoding.upper()} text (byte {error.start}: {error.reason}); "
        "save it as UTF-8"
    )
