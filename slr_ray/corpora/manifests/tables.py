"""A user's own manifest: CSV or Parquet with one row a clip.

Column `path` is needed; `clip_id`, `gloss`, `signer`, `split`, `corpus`, `start_frame`,
`end_frame`, `start_s` and `end_s` are optional, others are ignored. Relative paths are below
--videos, or else below the manifest's folder. Without `clip_id` a clip is called after its path.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from slr_ray.corpora.manifests.manifest import Entries, Manifest, ManifestOptions, Row, whole
from slr_ray.errors import DataError
from slr_ray.storage import absolute, is_uri

_TEXTS = ("clip_id", "gloss", "signer", "split", "corpus")
_FRAMES = ("start_frame", "end_frame")
_SECONDS = ("start_s", "end_s")
KNOWN = ("path", *_TEXTS, *_FRAMES, *_SECONDS)


def is_table(source: str) -> bool:
    return not is_uri(source) and Path(source).suffix.lower() in (".csv", ".parquet")


def from_table(source: str, options: ManifestOptions) -> Manifest:
    """The clips of a CSV or Parquet file; `DataError` where it is none or names no `path`."""
    table = _read(Path(source))
    if "path" not in table.column_names:
        raise DataError(
            f"{source}: no column 'path' (it has {', '.join(table.column_names[:8])}); "
            f"columns are {', '.join(KNOWN)}"
        )
    base = options.videos or str(Path(source).expanduser().absolute().parent)
    entries = Entries(options)
    ignored = [name for name in table.column_names if name not in KNOWN]
    for number, values in enumerate(table.to_pylist(), start=1):
        try:
            entries.rows.append(_row(values, base, options))
        except ValueError as error:
            entries.broken(f"{source}, row {number}", str(values.get("clip_id")), str(error))
    return entries.manifest(*([f"columns ignored: {', '.join(ignored)}"] if ignored else []))


def read_csv(path: Path, delimiter: str = ",", names: list[str] | None = None) -> pa.Table:
    """Every column as text; `DataError` where the file is no CSV. `names` if it has no heading."""
    try:
        # Numbers such as the signer "007" are names: nothing is guessed.
        header = (
            names
            or pa_csv.read_csv(
                path, parse_options=pa_csv.ParseOptions(delimiter=delimiter)
            ).column_names
        )
        return pa_csv.read_csv(
            path,
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
        raise DataError(f"cannot read {str(path)!r} as CSV: {error}") from None


def read_columns(path: Path, columns: tuple[str, ...], corpus: str) -> list[dict[str, Any]]:
    """Lines of a corpus's CSV file, these columns only; `DataError` where one is missing."""
    table = read_csv(path)
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise DataError(
            f"{path} is not {corpus}'s: column {', '.join(missing)} missing "
            f"(it has {', '.join(table.column_names[:8])})"
        )
    lines: list[dict[str, Any]] = table.select(list(columns)).to_pylist()
    return lines


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise DataError(f"no such file: {str(path)!r}")
    if path.suffix.lower() == ".csv":
        return read_csv(path)
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {str(path)!r} as Parquet: {error}") from None


def _row(values: dict[str, Any], base: str, options: ManifestOptions) -> Row:
    path = _text(values.get("path"))
    if path is None:
        raise ValueError("path is empty")
    known: dict[str, Any] = {name: _text(values.get(name)) for name in _TEXTS}
    for name in _FRAMES:
        known[name] = _number(name, values.get(name), whole)
    for name in _SECONDS:
        known[name] = _number(name, values.get(name), float)
    known["clip_id"] = known["clip_id"] or str(PurePosixPath(path.strip("/")).with_suffix(""))
    known["signer"] = known["signer"] or options.fallback_signer
    located = path if is_uri(path) or path.startswith(("/", "~")) else f"{base}/{path}"
    return Row(path=absolute(located), **known)


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _number(name: str, value: Any, cast: Any) -> Any:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = cast(value)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{name} is {value!r}, not a number") from None
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name} is {value!r}; it must be 0 or more")
    return number
