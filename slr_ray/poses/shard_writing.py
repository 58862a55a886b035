"""Pose shards written: streamed, and whole or not at all."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.poses.clip import Clip, checked
from slr_ray.poses.shard_schema import (
    ROWS_PER_GROUP,
    SCHEMA,
    SENTENCE_COLUMNS,
    SENTENCE_SCHEMA,
)
from slr_ray.poses.skeleton import JOINTS
from slr_ray.storage import local_path

_REMEDY = "give clips of slr_ray.Clip, such as [corpus.clip(0)]"


def write_shard(path: str | Path, clips: Iterable[Clip], provenance: dict[str, Any]) -> int:
    """Write clips to one Parquet file, whole or not at all; returns how many.

    >>> slr_ray.write_shard(folder / "two.parquet", [corpus.clip(0), corpus.clip(1)],
    ...                     {"extractor": "an example"})
    2
    >>> slr_ray.open_corpus(folder / "two.parquet").num_clips
    2

    Streams: memory is that of one row group. `provenance` says where the poses come from
    (`extractor`, `version`, `settings`); it travels in the file's metadata. Only a file with a
    sentence has the columns of sentences. `StorageError` where `path` is a URI; `DataError` where a
    clip is none that `open_corpus` would read.
    """
    path = local_path(str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{path.name}")
    try:
        count = _write(temporary, checked(clips, _REMEDY), provenance)
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
    metadata = {"joints": json.dumps(JOINTS), "provenance": json.dumps(provenance)}
    narrow, wide = (one.with_metadata(metadata) for one in (SCHEMA, SENTENCE_SCHEMA))
    left = iter(clips)
    count, schema = 0, narrow
    writer = pq.ParquetWriter(where, schema, compression="zstd")
    try:
        while rows := [_row(clip) for clip in itertools.islice(left, ROWS_PER_GROUP)]:
            count += len(rows)
            if schema is narrow and any("glosses" in row for row in rows):
                writer.close()
                schema, writer = wide, _widened(where, wide)
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    finally:
        writer.close()
    return count


def _widened(where: Path | io.BytesIO, schema: pa.Schema) -> pq.ParquetWriter:
    """Begin the file again with the columns of sentences, null for the rows written so far.

    Clips without any label may come first by hundreds, and only a sentence tells what they are.
    """
    if isinstance(where, io.BytesIO):
        done: BinaryIO = io.BytesIO(where.getvalue())
        where.seek(0)
        where.truncate()
    else:
        done = where.open("rb")
        where.unlink()
    with done, pq.ParquetFile(done) as file:
        writer = pq.ParquetWriter(where, schema, compression="zstd")
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            for column in SENTENCE_COLUMNS:
                table = table.append_column(column, pa.nulls(table.num_rows, column.type))
            writer.write_table(table)
    return writer


def _row(clip: Clip) -> dict[str, Any]:
    row: dict[str, Any] = {
        "clip_id": clip.clip_id,
        "gloss": clip.gloss,
        "signer": clip.signer,
        "fps": clip.fps,
        "num_frames": clip.num_frames,
        "positions": np.ascontiguousarray(clip.positions, np.float32).reshape(-1),
        "confidence": np.ascontiguousarray(clip.confidence, np.float32).reshape(-1),
    }
    if clip.sentence is not None:
        times = clip.sentence.times
        row["glosses"] = clip.sentence.glosses
        row["gloss_starts"] = None if times is None else [start for start, _ in times]
        row["gloss_ends"] = None if times is None else [end for _, end in times]
        row["text"] = clip.sentence.text
    return row
