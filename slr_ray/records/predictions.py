"""What a model answered on each test clip: a Parquet file beside the record."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, TypeVar, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

_SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("signer", pa.string()),
        ("gloss", pa.string()),
        ("predicted", pa.string()),
        ("top5", pa.list_(pa.string())),
        ("probability", pa.float32()),
    ]
)


@runtime_checkable
class _OfClip(Protocol):
    @property
    def clip_id(self) -> str: ...


AnswerT = TypeVar("AnswerT", bound=_OfClip)
"""On an isolated sign or on a sentence."""


@dataclass(frozen=True)
class ClipPrediction:
    """One test clip."""

    clip_id: str
    signer: str | None
    gloss: str
    """The true one."""
    top5: tuple[str, ...]
    """The likeliest glosses, likeliest first: five, or all where there are fewer."""
    probability: float
    """That the model gave the true gloss."""

    @property
    def predicted(self) -> str:
        return self.top5[0]


def to_parquet(predictions: Iterable[ClipPrediction]) -> bytes:
    """A Parquet file with columns clip_id, signer, gloss, predicted, top5 and probability."""
    return parquet_of(predictions, _SCHEMA)


def parquet_of(answers: Iterable[Any], schema: pa.Schema) -> bytes:
    """A Parquet file whose columns are attributes of the answers."""
    rows = [{name: getattr(one, name) for name in schema.names} for one in answers]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), sink)
    return sink.getvalue()


def from_parquet(content: bytes) -> list[ClipPrediction]:
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    return [
        ClipPrediction(
            row["clip_id"], row["signer"], row["gloss"], tuple(row["top5"]), row["probability"]
        )
        for row in rows
    ]


def pooled(folds: Iterable[Sequence[AnswerT]]) -> list[AnswerT]:
    """The predictions of several folds by clip, each by the model that did not train on it.

    `ValueError` where a clip is in two folds: it would count twice.
    """
    every = sorted(chain.from_iterable(folds), key=lambda one: one.clip_id)
    if len({one.clip_id for one in every}) < len(every):
        raise ValueError("folds test a clip twice")
    return every
