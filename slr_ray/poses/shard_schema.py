"""Pose shards: Parquet files of clips, with the provenance of their poses.

One row is one clip. Columns: `clip_id` string, `gloss` string (null = unlabelled), `signer`
string (null, or no such column = unknown), `fps` float32 (null = unknown), `num_frames` int32,
`positions` list<float32> (frames x 54 x 2, flattened), `confidence` list<float32> (frames x 54,
flattened).

Files of continuous signing have more, each of them null where unknown: `glosses` list<string>, the
sentence; `gloss_starts` and `gloss_ends` list<int32>, a frame each, the end not included; `text`
string. `gloss` is null there, or the file lacks it.

File metadata: `joints` (the 54 names as JSON) and `provenance` (extractor, version, settings as
JSON; absent in files that other tools wrote).
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.errors import DataError
from slr_ray.poses.skeleton import JOINTS

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
SENTENCE_COLUMNS = (
    pa.field("glosses", pa.list_(pa.string())),
    pa.field("gloss_starts", pa.list_(pa.int32())),
    pa.field("gloss_ends", pa.list_(pa.int32())),
    pa.field("text", pa.string()),
)
SENTENCE_SCHEMA = pa.schema([*SCHEMA, *SENTENCE_COLUMNS])
_OPTIONAL = {"signer", *(one.name for one in SENTENCE_COLUMNS)}
ROWS_PER_GROUP = 256
"""What writers put into a row group, and readers hold in memory."""


def shard_metadata(path: str, file: pq.ParquetFile, key: bytes) -> Any:
    """A JSON value of the file's metadata, None where it is absent."""
    try:
        return json.loads((file.schema_arrow.metadata or {}).get(key, b"null"))
    except ValueError:
        raise DataError(f"{path}: its metadata {key.decode()!r} is not JSON") from None


def check_schema(path: str, file: pq.ParquetFile) -> None:
    """`DataError` where the file lacks a column, or one is of another type, or joints differ."""
    schema = file.schema_arrow
    there = {*schema.names, *_OPTIONAL}
    if "glosses" in schema.names:
        there.add("gloss")
    missing = [name for name in SCHEMA.names if name not in there]
    if missing:
        raise DataError(
            f"{path} is no pose shard: column {', '.join(missing)} missing "
            f"(it has {', '.join(schema.names[:8])})"
        )
    wrong = [
        f"{one.name} is {schema.field(one.name).type}, expected {one.type}"
        for one in SENTENCE_SCHEMA
        if one.name in schema.names and not _same_kind(schema.field(one.name).type, one.type)
    ]
    if wrong:
        raise DataError(f"{path} is no pose shard: {'; '.join(wrong)}")
    joints = shard_metadata(path, file, b"joints")
    if joints is not None and joints != list(JOINTS):
        raise DataError(f"{path}: its joints are not SPOTER's 54 in SPOTER's order")


def _same_kind(found: pa.DataType, expected: pa.DataType) -> bool:
    if pa.types.is_null(found):
        # A column without any value, such as the glosses of an unlabelled corpus.
        return expected in (pa.string(), pa.float32(), *(one.type for one in SENTENCE_COLUMNS))
    if pa.types.is_list(expected):
        is_list = pa.types.is_list(found) or pa.types.is_large_list(found)
        return bool(is_list and _same_kind(found.value_type, expected.value_type))
    if pa.types.is_string(expected):
        # A dictionary is how pandas categoricals and Arrow datasets store strings.
        if pa.types.is_dictionary(found):
            found = found.value_type
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    if pa.types.is_floating(expected):
        return bool(pa.types.is_floating(found))
    return bool(pa.types.is_integer(found))
