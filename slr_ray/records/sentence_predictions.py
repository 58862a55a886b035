"""What a model said of each test sentence: a Parquet file beside the record."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.records.predictions import parquet_of

_NAMES, _FRAMES = pa.list_(pa.string()), pa.list_(pa.int32())
_SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("signer", pa.string()),
        ("num_frames", pa.int32()),
        ("glosses", _NAMES),
        ("starts", _FRAMES),
        ("ends", _FRAMES),
        ("predicted", _NAMES),
        ("predicted_starts", _FRAMES),
        ("predicted_ends", _FRAMES),
        ("spikes", _FRAMES),
    ]
)


@dataclass(frozen=True)
class SentencePrediction:
    """One test sentence; frames are those of its clip, ends not included."""

    clip_id: str
    signer: str | None
    num_frames: int
    glosses: tuple[str, ...]
    """The true ones."""
    starts: tuple[int, ...] | None
    """Of the true glosses; None where nobody knows their times, as for `ends`."""
    ends: tuple[int, ...] | None
    predicted: tuple[str, ...]
    predicted_starts: tuple[int, ...]
    predicted_ends: tuple[int, ...]
    spikes: tuple[int, ...]
    """The first frame of the step at which each predicted gloss is most probable."""


def to_parquet(predictions: Iterable[SentencePrediction]) -> bytes:
    """A Parquet file with a column for each field."""
    return parquet_of(predictions, _SCHEMA)


def from_parquet(content: bytes) -> list[SentencePrediction]:
    found = []
    for row in pq.read_table(io.BytesIO(content)).to_pylist():
        lists = {name: tuple(one) for name, one in row.items() if isinstance(one, list)}
        found.append(SentencePrediction(**{**row, **lists}))
    return found
