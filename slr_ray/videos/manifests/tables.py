"""A user's own manifest: CSV or Parquet with one row a clip.

Column `path` is needed; `clip_id`, `gloss`, `signer`, `split`, `corpus`, `start_frame`,
`end_frame`, `start_s`, `end_s` and `fps` (of a folder of pictures) are optional, others are
ignored; capital letters do not matter. A sentence has `glosses` with spaces between, or a list, and
maybe `text`. The manifest may be behind a URI. Relative paths are below --videos, or else below the
manifest's folder. Without `clip_id` a clip is called after its path.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

from slr_ray.errors import DataError
from slr_ray.storage import absolute, below, is_uri, parted, resolve, split_query
from slr_ray.text import decoded, normal_name, read_table, table_rows
from slr_ray.videos.frames.files import VIDEO_SUFFIXES
from slr_ray.videos.manifests.manifest import (
    Entries,
    Manifest,
    ManifestOptions,
    Row,
    one_split,
    whole,
)

_TEXTS = ("clip_id", "gloss", "signer", "split", "corpus", "text")
_FRAMES = ("start_frame", "end_frame")
_SECONDS = ("start_s", "end_s", "fps")
KNOWN = ("path", *_TEXTS, "glosses", *_FRAMES, *_SECONDS)


def is_table(source: str) -> bool:
    return PurePosixPath(split_query(source)[0]).suffix.lower() in (".csv", ".parquet")


def from_table(source: str, options: ManifestOptions) -> Manifest:
    """The clips of a CSV or Parquet file; `DataError` where it is none or names no `path`."""
    columns, lines = _read(source)
    if "path" not in columns:
        raise DataError(
            f"{source}: no column 'path' (it has {', '.join(columns[:8])}); "
            f"columns are {', '.join(KNOWN)}"
        )
    base = options.videos or parted(absolute(source))[0]
    entries = Entries(options)
    notes = ignored_note(name for name in columns if name not in KNOWN)
    if not {"gloss", "glosses"} & set(columns):
        notes.append("no column gloss: every clip is unlabelled")
    for number, values in enumerate(lines, start=1):
        try:
            entries.rows.append(_row(values, base, options))
        except ValueError as error:
            entries.broken(f"{source}, row {number}", str(values.get("clip_id")), str(error))
    return entries.manifest(*notes)


def ignored_note(columns: Iterable[str]) -> list[str]:
    """Names columns that nothing is made of, if there are any."""
    names = ", ".join(columns)
    return [f"columns ignored: {names}"] if names else []


def read_columns(
    path: Path, columns: tuple[str, ...], corpus: str
) -> tuple[list[dict[str, str]], list[str]]:
    """Lines of a corpus's CSV file, and its other columns; `DataError` where one is missing."""
    found, lines = read_table(path)
    missing = [name for name in columns if name not in found]
    if missing:
        raise DataError(
            f"{path} is not {corpus}'s: column {', '.join(missing)} missing "
            f"(it has {', '.join(found[:8])})"
        )
    return lines, [name for name in found if name not in columns]


def _read(source: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows; columns of ours are in lower case."""
    filesystem, path = resolve(source)
    is_csv = PurePosixPath(path).suffix.lower() == ".csv"
    try:
        if filesystem.get_file_info(path).type != arrow_fs.FileType.File:
            raise DataError(f"no such file: {source!r}")
        if is_csv:
            with filesystem.open_input_stream(path) as stream:
                content = stream.read()
            columns, rows = _csv(content, source)
        else:
            # As a file: a folder `split=train` on its way would else become a column.
            with filesystem.open_input_file(path) as file:
                table = pq.read_table(file)
            columns, rows = table.column_names, table.to_pylist()
    except (OSError, pa.ArrowException) as error:
        kind = "CSV" if is_csv else "Parquet"
        raise DataError(f"cannot read {source!r} as {kind}: {error}") from None
    ours = {name: name.lower() if name.lower() in KNOWN else name for name in columns}
    if len(set(ours.values())) < len(ours):
        raise DataError(f"{source}: two columns differ only in capital letters: rename one")
    return list(ours.values()), [{ours[name]: row[name] for name in columns} for row in rows]


def _csv(content: bytes, source: str) -> tuple[list[str], list[dict[str, str]]]:
    # Numbers such as the signer "007" are names: every cell is text.
    columns, rows = table_rows(io.StringIO(decoded(content, source), newline=""), source)
    if not columns:
        raise DataError(f"cannot read {source!r} as CSV: it is empty")
    return list(columns), list(rows)


def _row(values: dict[str, Any], base: str, options: ManifestOptions) -> Row:
    path = _text(values.get("path"))
    if path is None:
        raise ValueError("path is empty")
    known: dict[str, Any] = {name: _text(values.get(name)) for name in _TEXTS}
    for name in _FRAMES:
        known[name] = _number(name, values.get(name), whole)
    for name in _SECONDS:
        known[name] = _number(name, values.get(name), float)
    name = split_query(path)[0].strip("/")
    known["clip_id"] = normal_name(known["clip_id"] or str(PurePosixPath(name).with_suffix("")))
    known["gloss"] = normal_name(known["gloss"] or "") or None
    known["glosses"] = _glosses(values.get("glosses"))
    known["signer"] = options.signer_of(known["signer"])
    known["split"] = one_split(known["split"])
    # A video file has its own times.
    is_file = PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES
    known["fps"] = None if is_file else known["fps"] or options.fps
    located = path if is_uri(path) or path.startswith(("/", "~")) else below(base, path)
    return Row(path=absolute(located), **known)


def _text(value: Any) -> str | None:
    if value is None or value == "" or _is_nan(value):
        return None
    # Beside empty cells pandas keeps whole numbers, such as a signer's, as fractions.
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _glosses(value: Any) -> tuple[str, ...] | None:
    """Of a sentence: a list in a Parquet file, a text with spaces between them in a CSV file."""
    listed = value if isinstance(value, list) else (_text(value) or "").split()
    return tuple(normal_name(str(one)) for one in listed) or None


def _is_nan(value: Any) -> bool:
    """How pandas writes an empty cell of a Parquet file."""
    return isinstance(value, float) and math.isnan(value)


def _number(name: str, value: Any, cast: Any) -> Any:
    if value is None or value == "" or _is_nan(value):
        return None
    try:
        number = cast(value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{name} is {value!r}, not a number") from None
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name} is {value!r}; it must be 0 or more")
    return number
