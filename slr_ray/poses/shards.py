"""Pose shards read: a Parquet file, a folder of them, or a URI, a row group at a time."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

from slr_ray.errors import ConfigError, DataError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.seen_ids import SeenIds
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shard_schema import (
    ROWS_PER_GROUP,
    SENTENCE_SCHEMA,
    check_schema,
    shard_metadata,
)
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.storage import call, is_uri, resolve
from slr_ray.text import normal_name


def are_shards(source: str) -> bool:
    """Whether a source is pose shards: by its name, or for a folder by what is in it."""
    path = Path(source)
    if is_uri(source) or path.suffix.lower() == ".parquet":
        return True
    return path.is_dir() and any(is_shard(str(one.relative_to(path))) for one in path.rglob("*"))


@dataclass(frozen=True)
class Skipped:
    """A clip that was left out, and why."""

    source: str
    clip_id: str
    reason: str


class ShardReader:
    """Streams the clips of a Parquet file, a folder of them, or a URI, a row group at a time.

    With `skip_broken`, clips that are no pose sequence are listed in `skipped`; without it the
    first one raises `DataError`, which names `how_to_skip`. Duplicate clip ids are broken clips
    too. Memory is that of one row group.
    """

    def __init__(
        self, location: str, *, skip_broken: bool = False, how_to_skip: str = "--skip-broken"
    ) -> None:
        self.location = location
        self.skip_broken = skip_broken
        self.how_to_skip = how_to_skip
        self.skipped: list[Skipped] = []
        self._filesystem, self.files = list_shards(location)

    def check(self) -> None:
        """Open every file's footer and compare its schema; `DataError` names the first bad one."""
        _ = self._footers

    def num_rows(self) -> int:
        """Rows over all files, from their footers."""
        return sum(num_rows for num_rows, _ in self._footers)

    def provenance(self) -> list[dict[str, Any]]:
        """The distinct provenance records of the files, in order of appearance."""
        found: list[dict[str, Any]] = []
        for _, record in self._footers:
            if record is not None and record not in found:
                found.append(record)
        return found

    def clip_ids(self) -> Iterator[str]:
        """The ids of all rows, broken ones too, without reading their poses."""
        for info in self.files:
            with self._open(info) as file:
                ids = file.read(columns=["clip_id"]).column("clip_id").to_pylist()
                yield from (one for one in ids if one is not None)

    @functools.cached_property
    def _footers(self) -> list[tuple[int, dict[str, Any] | None]]:
        """Rows and provenance of every file; each footer behind a URI is a request."""
        found = []
        for info in self.files:
            with self._open(info) as file:
                record = shard_metadata(info.path, file, b"provenance")
                found.append((file.metadata.num_rows, record))
        return found

    def __iter__(self) -> Iterator[Clip]:
        self.skipped.clear()
        with contextlib.closing(SeenIds(self.num_rows())) as seen:
            for info in self.files:
                with self._open(info) as file:
                    for batch in _batches(info.path, file):
                        yield from self._clips(info.path, batch, seen)
                        # Arrow keeps what it freed; over many row groups that adds up.
                        pa.default_memory_pool().release_unused()

    def _open(self, info: arrow_fs.FileInfo) -> pq.ParquetFile:
        try:
            if info.size == 0:
                raise pa.ArrowInvalid("it is empty (0 bytes)")
            opened = call(self.location, lambda: self._filesystem.open_input_file(info.path))
            file = pq.ParquetFile(opened)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{info.path} is not a Parquet file: {error}. Convert other formats with "
                "`python -m slr_ray.data import --format FORMAT SRC OUT`"
            ) from None
        check_schema(info.path, file)
        return file

    def _clips(self, path: str, batch: pa.RecordBatch, seen: SeenIds) -> Iterator[Clip]:
        columns = {name: batch.column(name) for name in batch.schema.names}
        for row in range(batch.num_rows):
            clip_id = columns["clip_id"][row].as_py()
            try:
                clip = _clip(columns, row)
                check_clip(clip)
                if not seen.add(clip.clip_id):
                    raise DataError(f"clip id {clip.clip_id!r} appears twice")
            except DataError as error:
                if not self.skip_broken:
                    raise DataError(
                        f"{path}: {error}. Pass {self.how_to_skip} to leave such clips out"
                    ) from None
                self.skipped.append(Skipped(path, str(clip_id), str(error)))
                continue
            yield clip


def list_shards(location: str) -> tuple[arrow_fs.FileSystem, list[arrow_fs.FileInfo]]:
    """The Parquet files that a path or URI stands for, sorted by path; `DataError` if none."""
    filesystem, path = resolve(location)
    try:
        info = call(location, lambda: filesystem.get_file_info(path))
        if info.type == arrow_fs.FileType.File:
            return filesystem, [info]
        if info.type == arrow_fs.FileType.NotFound:
            hint = "" if is_uri(location) else f" (looked in {Path(path).parent})"
            raise DataError(f"no such file or folder: {location!r}{hint}")
        below = arrow_fs.FileSelector(path, recursive=True)
        inside = call(location, lambda: filesystem.get_file_info(below))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {location!r}: {error}") from None
    files = sorted(
        (one for one in inside if one.is_file and is_shard(one.path[len(path) :])),
        key=lambda one: one.path,
    )
    if not files:
        raise DataError(f"{location!r} holds no .parquet file")
    return filesystem, files


def refuse_to_replace(location: str, out: Path) -> None:
    """`ConfigError` where `out` is one of the files that a path or URI stands for.

    What is made of them would take the place of one that can't be had again.
    """
    filesystem, files = list_shards(location)
    is_local = isinstance(filesystem, arrow_fs.LocalFileSystem)
    if is_local and out.exists() and any(out.samefile(one.path) for one in files):
        raise ConfigError(f"{out} is read from {location}, and would be replaced: name another OUT")


def is_shard(name: str) -> bool:
    """Whether a file below the folder is for readers.

    A hidden file is a shard that a killed process left half written; folders such as `_extraction`
    hold how the shards came about.
    """
    parts = PurePosixPath(name.strip("/")).parts
    return name.lower().endswith(".parquet") and not any(
        part.startswith((".", "_")) for part in parts
    )


def _batches(path: str, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """A file's rows; a page that does not decode raises `DataError`, skipped clips or not."""
    try:
        # Group by group: asked for the whole file, Arrow reads ahead and keeps all of it.
        for group in range(file.metadata.num_row_groups):
            yield from file.iter_batches(
                batch_size=ROWS_PER_GROUP,
                row_groups=[group],
                columns=[one for one in SENTENCE_SCHEMA.names if one in file.schema_arrow.names],
                use_threads=False,
            )
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged: {error}. Copy or write it again") from None


def _clip(columns: dict[str, pa.Array], row: int) -> Clip:
    values = {name: column[row] for name, column in columns.items()}
    clip_id = values["clip_id"].as_py()
    if clip_id is None:
        raise DataError(f"row {row}: clip_id must not be null")
    if values["positions"].values is None or values["confidence"].values is None:
        raise DataError(f"clip {clip_id!r} has no positions or no confidence")
    positions = values["positions"].values.to_numpy(zero_copy_only=False)
    confidence = values["confidence"].values.to_numpy(zero_copy_only=False)
    frames = values["num_frames"].as_py()
    if frames is None or positions.size != frames * NUM_JOINTS * 2:
        raise DataError(
            f"clip {clip_id!r}: {positions.size} position values do not make "
            f"{frames} frames x {NUM_JOINTS} joints x 2"
        )
    if confidence.size != frames * NUM_JOINTS:
        raise DataError(
            f"clip {clip_id!r}: {confidence.size} confidence values do not make "
            f"{frames} frames x {NUM_JOINTS} joints"
        )
    return Clip(
        clip_id=clip_id,
        gloss=_text(values.get("gloss")),
        signer=_text(values.get("signer")),
        fps=_rate(values["fps"].as_py()),
        positions=positions.astype(np.float32).reshape(frames, NUM_JOINTS, 2),
        confidence=confidence.astype(np.float32).reshape(frames, NUM_JOINTS),
        sentence=_sentence(values, clip_id),
    )


def _sentence(values: Mapping[str, pa.Scalar], clip_id: str) -> Sentence | None:
    """None where nobody knows the glosses, even where somebody knows what they mean."""
    glosses, starts, ends = (
        _list(values.get(name)) for name in ("glosses", "gloss_starts", "gloss_ends")
    )
    if (starts is None) != (ends is None) or (glosses is None and starts is not None):
        raise DataError(
            f"clip {clip_id!r}: glosses, gloss_starts and gloss_ends must be given together, or "
            "glosses alone"
        )
    if glosses is None:
        return None
    times = None
    if starts is not None and ends is not None:
        if len(starts) != len(ends) or None in starts or None in ends:
            raise DataError(f"clip {clip_id!r}: gloss_starts and gloss_ends do not match")
        times = tuple(zip(starts, ends, strict=True))
    names = tuple(normal_name(one or "") for one in glosses)
    return Sentence(names, times, _text(values.get("text")))


def _rate(value: float | None) -> float | None:
    """None where unknown, which tools without nulls write as 0 or NaN."""
    return None if not value or np.isnan(value) else value


def _list(value: pa.Scalar | None) -> list[Any] | None:
    found: list[Any] | None = None if value is None else value.as_py()
    return found


def _text(value: pa.Scalar | None) -> str | None:
    """As names are compared and stored; None without a column and where nothing is left."""
    if value is None:
        return None
    return normal_name(value.as_py() or "") or None
