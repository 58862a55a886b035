"""A user's own manifest: CSV or Parquet with one row a clip.

Column `path` is needed; `clip_id`, `gloss`, `signer`, `split`, `corpus`, `start_frame`,
`end_frame`, `start_s` and `end_s` are optional, others are ignored. The manifest may be behind a
URI. Relative paths are below --videos, or else below the manifest's folder. Without `clip_id` a
clip is called after its path.
"""

from __future__ import annotations

import io
import math
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

from slr_ray.errors import DataError
from slr_ray.storage import absolute, below, is_uri, parted, resolve, split_query
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions, Row, whole

_TEXTS = ("clip_id", "gloss", "signer", "split", "corpus")
_FRAMES = ("start_frame", "end_frame")
_SECONDS = ("start_s", "end_s")
KNOWN = ("path", *_TEXTS, *_FRAMES, *_SECONDS)


def is_table(source: str) -> bool:
    return PurePosixPath(split_query(source)[0]).suffix.lower() in (".csv", ".parquet")


def from_table(source: str, options: ManifestOptions) -> Manifest:
    """The clips of a CSV or Parquet file; `DataError` where it is none or names no `path`."""
    table = _read(source)
    if "path" not in table.column_names:
        raise DataError(
            f"{source}: no column 'path' (it has {', '.join(table.column_names[:8])}); "
            f"columns are {', '.join(KNOWN)}"
        )
    base = options.videos or parted(absolute(source))[0]
    entries = Entries(options)
    ignored = [name for name in table.column_names if name not in KNOWN]
    for number, values in enumerate(table.to_pylist(), start=1):
        try:
            entries.rows.append(_row(values, base, options))
        except ValueError as error:
            entries.broken(f"{source}, row {number}", str(values.get("clip_id")), str(error))
    return entries.manifest(*([f"columns ignored: {', '.join(ignored)}"] if ignored else []))


def read_csv(path: str, delimiter: str = ",", names: list[str] | None = None) -> pa.Table:
    """Every column of a local file or one behind a URI as text, without spaces around it.

    `names` if it has no heading. `DataError` where the file is no CSV.
    """
    try:
        filesystem, place = resolve(path)
        with filesystem.open_input_stream(place) as stream:
            content = stream.read()
        # Numbers such as the signer "007" are names: nothing is guessed.
        header = (
            names
            or pa_csv.read_csv(
                io.BytesIO(content), parse_options=pa_csv.ParseOptions(delimiter=delimiter)
            ).column_names
        )
        table = pa_csv.read_csv(
            io.BytesIO(content),
            read_options=pa_csv.ReadOptions(column_names=names),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path!r} as CSV: {error}") from None
    cells = [pc.utf8_trim_whitespace(column) for column in table.columns]
    return pa.table(
        [pc.if_else(pc.equal(column, ""), None, column) for column in cells],
        names=[name.strip() for name in table.column_names],
    )


def read_columns(path: Path, columns: tuple[str, ...], corpus: str) -> list[dict[str, Any]]:
    """Lines of a corpus's CSV file, these columns only; `DataError` where one is missing."""
    table = read_csv(str(path))
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise DataError(
            f"{path} is not {corpus}'s: column {', '.join(missing)} missing "
            f"(it has {', '.join(table.column_names[:8])})"
        )
    lines: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return lines


def _read(source: str) -> pa.Table:
    filesystem, path = resolve(source)
    try:
        if filesystem.get_file_info(path).type != arrow_fs.FileType.File:
            raise DataError(f"no such file: {source!r}")
        if PurePosixPath(path).suffix.lower() == ".csv":
            return read_csv(source)
        # As a file: a folder `split=train` on its way would else become a column.
        with filesystem.open_input_file(path) as file:
            return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {source!r} as Parquet: {error}") from None


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
    known["clip_id"] = known["clip_id"] or str(PurePosixPath(name).with_suffix(""))
    known["signer"] = known["signer"] or options.fallback_signer
    located = path if is_uri(path) or path.startswith(("/", "~")) else below(base, path)
    return Row(path=absolute(located), **known)


def _text(value: Any) -> str | None:
    if value is None or value == "" or _is_nan(value):
        return None
    # Beside empty cells pandas keeps whole numbers, such as a signer's, as fractions.
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


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
