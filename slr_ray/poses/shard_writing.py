"""Pose shards written: streamed, and whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.poses.clip import Clip
from slr_ray.poses.shard_schema import ROWS_PER_GROUP, SCHEMA
from slr_ray.poses.skeleton import JOINTS


def write_shard(path: Path, clips: Iterable[Clip], provenance: dict[str, Any]) -> int:
    """Write clips to one Parquet file, whole or not at all; returns how many.

    >>> slr_ray.write_shard(folder / "two.parquet", [corpus.clip(0), corpus.clip(1)],
    ...                     {"extractor": "an example"})
    2
    >>> slr_ray.open_corpus(folder / "two.parquet").num_clips
    2

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
            if len(rows) == ROWS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return count


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
