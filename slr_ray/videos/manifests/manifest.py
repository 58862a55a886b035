"""A manifest: which clips there are, in which video files, and what is known about each."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slr_ray.errors import DataError
from slr_ray.poses.sentence import Sentence
from slr_ray.poses.shards import Skipped
from slr_ray.text import known, normal_name, split_name
from slr_ray.videos.frames.source import VideoClip
from slr_ray.videos.manifests.files import VideoFile

SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("path", pa.string()),
        ("gloss", pa.string()),
        ("signer", pa.string()),
        ("split", pa.string()),
        ("start_frame", pa.int64()),
        ("end_frame", pa.int64()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("size_bytes", pa.int64()),
        ("corpus", pa.string()),
        ("fps", pa.float64()),
        ("glosses", pa.list_(pa.string())),
        ("text", pa.string()),
    ]
)

_FRAMES_A_SECOND = 25.0
_BYTES_A_SECOND = 200_000
_USUAL_S = 3.0
_NUM_NAMED = 5


@dataclass(frozen=True)
class Row(VideoClip):
    """One clip to extract; `path` may also be a URI."""

    size_bytes: int | None = None
    """Of the whole file; None where not known."""
    corpus: str | None = None
    """Whose clip it is, where several corpora share one OUT."""

    @property
    def estimated_s(self) -> float:
        """Length of the clip, roughly, for sharing out the work: range, else size of the file."""
        if self.end_s is not None:
            return max(0.0, self.end_s - (self.start_s or 0.0))
        if self.end_frame is not None:
            return max(0.0, (self.end_frame - (self.start_frame or 0)) / _FRAMES_A_SECOND)
        if self.size_bytes is not None:
            return self.size_bytes / _BYTES_A_SECOND
        return _USUAL_S


@dataclass(frozen=True)
class Manifest:
    """The clips of a source, and those that it names and that can't be extracted."""

    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    """How the source was understood, for the user."""
    skipped: list[Skipped] = field(default_factory=list)
    """Entries that are no clip."""
    absent: list[Skipped] = field(default_factory=list)
    """Clips whose video is not there."""


@dataclass(frozen=True)
class ManifestOptions:
    """What the user knows and the source may not say."""

    signer: str | None = None
    """Signer of clips for which the source names none; without it theirs is unknown."""
    layout: str | None = None
    """What a folder's levels mean; detected if not given."""
    pattern: str | None = None
    """What file names mean."""
    videos: str | None = None
    """Folder or URI of the videos, for sources that only name them."""
    fps: float | None = None
    """Frames a second of folders of pictures."""
    skip_broken: bool = False
    """Whether entries that make no sense are skipped and listed, or end the command."""

    def signer_of(self, named: str | None) -> str | None:
        """A clip's signer: whom the source names, or else the user, or nobody."""
        return known(named) or known(self.signer)


def check_manifest(manifest: Manifest) -> None:
    """`DataError` where nothing is left to extract, or where clip ids are not unique."""
    if not manifest.rows:
        listed = [*manifest.skipped, *manifest.absent]
        reason = f", the first because: {listed[0].reason}" if listed else ""
        raise DataError(f"no clip to extract: {len(listed)} left out{reason}")
    counts = Counter(row.clip_id for row in manifest.rows)
    doubled = [clip_id for clip_id, count in counts.items() if count > 1]
    if doubled:
        wanted = set(doubled[:_NUM_NAMED])
        where = [f"{row.clip_id!r} ({row.path})" for row in manifest.rows if row.clip_id in wanted]
        more = f" and {len(doubled) - _NUM_NAMED} more" if len(doubled) > _NUM_NAMED else ""
        raise DataError(
            f"{len(doubled)} clip ids are not unique: {', '.join(where)}{more}. "
            "Rename the files, or give each clip its own clip_id in a manifest"
        )


def to_table(rows: Sequence[Row]) -> pa.Table:
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


def to_parquet(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(to_table(rows), sink, compression="zstd")
    return sink.getvalue()


def from_parquet(content: bytes) -> list[Row]:
    """The rows that `to_parquet` wrote."""
    return from_table(pq.read_table(io.BytesIO(content)))


def from_table(table: pa.Table) -> list[Row]:
    """The rows of a table that `to_table` made."""
    return [Row.of(row) for row in table.to_pylist()]


class Entries:
    """Gathers a source's clips; entries that make no sense end the command or are skipped."""

    def __init__(self, options: ManifestOptions) -> None:
        self.options = options
        self.rows: list[Row] = []
        self.skipped: list[Skipped] = []
        self.absent: list[Skipped] = []

    def add(
        self,
        clip_id: str,
        file: VideoFile,
        gloss: str | None = None,
        signer: str | None = None,
        split: str | None = None,
        sentence: Sentence | None = None,
        **span: float | None,
    ) -> None:
        """A clip of a video that is there; `span` is its range, by the names of `VideoClip`.

        Names take their normal form, and the words for splits become ours.
        """
        self.rows.append(
            Row(
                clip_id=normal_name(clip_id),
                path=file.path,
                gloss=normal_name(gloss or "") or None,
                signer=self.options.signer_of(signer),
                split=one_split(split),
                size_bytes=file.size_bytes,
                fps=self.options.fps if file.is_folder else None,
                glosses=sentence.glosses if sentence else None,
                text=sentence.text if sentence else None,
                **span,  # type: ignore[arg-type]
            )
        )

    def broken(self, source: str, clip_id: str, reason: str) -> None:
        if not self.options.skip_broken:
            raise DataError(f"{source}: {reason}. Pass --skip-broken to leave such entries out")
        self.skipped.append(Skipped(source, clip_id, reason))

    def missing(self, source: str, clip_id: str, reason: str) -> None:
        self.absent.append(Skipped(source, clip_id, reason))

    def manifest(self, *notes: str) -> Manifest:
        return Manifest(self.rows, list(notes), self.skipped, self.absent)


def one_split(word: str | None) -> str | None:
    """A split by our name for it; a word of another meaning is kept."""
    named = known(word)
    return None if named is None else split_name(named) or named


def whole(value: Any) -> int:
    """A count from JSON or CSV; `ValueError` where it is not a whole number."""
    number = float(value)
    if number != int(number):
        raise ValueError(f"{value!r} is not a whole number")
    return int(number)
