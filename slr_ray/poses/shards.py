"""Pose shards: Parquet files of clips, with the provenance of their poses.

One row is one clip. Columns: `clip_id` string, `gloss` string (null = unlabelled), `signer`
string, `fps` float32 (null = unknown), `num_frames` int32, `positions` list<float32> (frames x 54 x
2, flattened), `confidence` list<float32> (frames x 54, flattened). File metadata: `joints` (the 54
names as JSON) and `provenance` (extractor, version, settings as JSON; absent in files that other
tools wrote).
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.seen_ids import SeenIds
from slr_ray.poses.skeleton import JOINTS, NUM_JOINTS
from slr_ray.storage import is_uri, resolve

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("gloss", pa.string()),
        ("signer", pa.string()),
        ("fps", pa.float32()),
        ("num_frames", pa.int32()),
        ("positions", pa.list_(pa.float32())),
        ("confidence", pa.list_(pa.float32())),
    ]
)
_ROWS_PER_GROUP = 256


@dataclass(frozen=True)
class Skipped:
    """A clip that was left out, and why."""

    source: str
    clip_id: str
    reason: str


class ShardReader:
    """Streams the clips of a Parquet file, a folder of them, or a URI, a row group at a time.

    With `skip_broken`, clips that are no pose sequence are listed in `skipped`; without it the
    first one raises `DataError`. Duplicate clip ids are broken clips too. Memory is that of one row
    group.
    """

    def __init__(self, location: str, *, skip_broken: bool = False) -> None:
        self.location = location
        self.skip_broken = skip_broken
        self.skipped: list[Skipped] = []
        self._filesystem, self.files = list_shards(location)

    def check(self) -> None:
        """Open every file's footer and compare its schema; `DataError` names the first bad one."""
        for info in self.files:
            self._open(info).close()

    def num_rows(self) -> int:
        """Rows over all files, from their footers."""
        total = 0
        for info in self.files:
            with self._open(info) as file:
                total += file.metadata.num_rows
        return total

    def provenance(self) -> list[dict[str, Any]]:
        """The distinct provenance records of the files, in order of appearance."""
        found: list[dict[str, Any]] = []
        for info in self.files:
            with self._open(info) as file:
                record = _metadata(info.path, file, b"provenance")
            if record is not None and record not in found:
                found.append(record)
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
            file = pq.ParquetFile(self._filesystem.open_input_file(info.path))
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{info.path} is not a Parquet file: {error}. Convert other formats with "
                "`python -m slr_ray.data import --format FORMAT SRC OUT`"
            ) from None
        _check_schema(info.path, file)
        return file

    def _clips(self, path: str, batch: pa.RecordBatch, seen: SeenIds) -> Iterator[Clip]:
        columns = {name: batch.column(name) for name in SCHEMA.names}
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
                        f"{path}: {error}. Pass --skip-broken to leave such clips out"
                    ) from None
                self.skipped.append(Skipped(path, str(clip_id), str(error)))
                continue
            yield clip


def list_shards(location: str) -> tuple[arrow_fs.FileSystem, list[arrow_fs.FileInfo]]:
    """The Parquet files that a path or URI stands for, sorted by path; `DataError` if none."""
    filesystem, path = resolve(location)
    try:
        info = filesystem.get_file_info(path)
        if info.type == arrow_fs.FileType.File:
            return filesystem, [info]
        if info.type == arrow_fs.FileType.NotFound:
            hint = "" if is_uri(location) else f" (looked in {Path(path).parent})"
            raise DataError(f"no such file or folder: {location!r}{hint}")
        inside = filesystem.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {location!r}: {error}") from None
    files = sorted(
        (one for one in inside if one.is_file and _is_shard(one.path[len(path) :])),
        key=lambda one: one.path,
    )
    if not files:
        raise DataError(f"{location!r} holds no .parquet file")
    return filesystem, files


def _is_shard(name: str) -> bool:
    """Whether a file below the folder is for readers.

    A hidden file is a shard that a killed process left half written; folders such as `_extraction`
    hold how the shards came about.
    """
    parts = PurePosixPath(name.strip("/")).parts
    return name.endswith(".parquet") and not any(part.startswith((".", "_")) for part in parts)


def write_shard(path: Path, clips: Iterable[Clip], provenance: dict[str, Any]) -> int:
    """Write clips to one Parquet file, whole or not at all; returns how many.

    Streams: memory is that of one row group. `provenance` says where the poses come from
    (`extractor`, `version`, `settings`); it travels in the file's metadata.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{path.name}")
    try:
        count = _write(temporary, clips, provenance)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def shard_bytes(clips: Iterable[Clip], provenance: dict[str, Any]) -> bytes:
    """A pose shard's content, for places that are not a local path; it is held in memory."""
    sink = io.BytesIO()
    _write(sink, clips, provenance)
    return sink.getvalue()


def _write(where: Path | io.BytesIO, clips: Iterable[Clip], provenance: dict[str, Any]) -> int:
    schema = SCHEMA.with_metadata(
        {"joints": json.dumps(JOINTS), "provenance": json.dumps(provenance)}
    )
    count = 0
    with pq.ParquetWriter(where, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        for clip in clips:
            rows.append(_row(clip))
            count += 1
            if len(rows) == _ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return count


def _batches(path: str, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """A file's rows; a page that does not decode raises `DataError`, skipped clips or not."""
    try:
        # Group by group: asked for the whole file, Arrow reads ahead and keeps all of it.
        for group in range(file.metadata.num_row_groups):
            yield from file.iter_batches(
                batch_size=_ROWS_PER_GROUP,
                row_groups=[group],
                columns=SCHEMA.names,
                use_threads=False,
            )
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged: {error}. Copy or write it again") from None


def _metadata(path: str, file: pq.ParquetFile, key: bytes) -> Any:
    """A JSON value of the file's metadata, None where it is absent."""
    try:
        return json.loads((file.schema_arrow.metadata or {}).get(key, b"null"))
    except ValueError:
        raise DataError(f"{path}: its metadata {key.decode()!r} is not JSON") from None


def _row(clip: Clip) -> dict[str, Any]:
    return {
        "clip_id": clip.clip_id,
        "gloss": clip.gloss,
        "signer": clip.signer,
        "fps": clip.fps,
        "num_frames": clip.num_frames,
        "positions": np.ascontiguousarray(clip.positions, np.float32).reshape(-1),
        "confidence": np.ascontiguousarray(clip.confidence, np.float32).reshape(-1),
    }


def _clip(columns: dict[str, pa.Array], row: int) -> Clip:
    values = {name: column[row] for name, column in columns.items()}
    clip_id = values["clip_id"].as_py()
    if clip_id is None or values["signer"].as_py() is None:
        raise DataError(f"row {row}: clip_id and signer must not be null")
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
        gloss=values["gloss"].as_py(),
        signer=values["signer"].as_py(),
        fps=values["fps"].as_py(),
        positions=positions.astype(np.float32).reshape(frames, NUM_JOINTS, 2),
        confidence=confidence.astype(np.float32).reshape(frames, NUM_JOINTS),
    )


def _check_schema(path: str, file: pq.ParquetFile) -> None:
    schema = file.schema_arrow
    missing = [name for name in SCHEMA.names if name not in schema.names]
    if missing:
        raise DataError(
            f"{path} is no pose shard: column {', '.join(missing)} missing "
            f"(it has {', '.join(schema.names[:8])})"
        )
    wrong = [
        f"{name} is {schema.field(name).type}, expected {SCHEMA.field(name).type}"
        for name in SCHEMA.names
        if not _same_kind(schema.field(name).type, SCHEMA.field(name).type)
    ]
    if wrong:
        raise DataError(f"{path} is no pose shard: {'; '.join(wrong)}")
    joints = _metadata(path, file, b"joints")
    if joints is not None and joints != list(JOINTS):
        raise DataError(f"{path}: its joints are not SPOTER's 54 in SPOTER's order")


def _same_kind(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_list(expected):
        is_list = pa.types.is_list(found) or pa.types.is_large_list(found)
        return bool(is_list and pa.types.is_floating(found.value_type))
    if pa.types.is_string(expected):
        # A dictionary is how pandas categoricals and Arrow datasets store strings; null is a
        # column without any value, such as the glosses of an unlabelled corpus.
        if pa.types.is_dictionary(found):
            found = found.value_type
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found)) or bool(
            pa.types.is_null(found)
        )
    if pa.types.is_floating(expected):
        return bool(pa.types.is_floating(found)) or bool(pa.types.is_null(found))
    return bool(pa.types.is_integer(found))
