"""What one OUT has been asked for: its manifest, and whether a new one means the same clips.

Shards name a clip by its id alone. So an id must go on meaning the video that its poses came from,
and a video that is done must not come again under another id.
"""

from __future__ import annotations

from slr_ray.errors import ConfigError
from slr_ray.videos.manifests.manifest import Row, from_parquet, to_parquet
from slr_ray.videos.pipeline.ledger import Ledger, writing

_NAME = "manifest.parquet"
_NUM_NAMED = 5
_RANGE = ("start_frame", "end_frame", "start_s", "end_s", "fps")


def asked_before(ledger: Ledger) -> dict[str, Row]:
    """Every clip that earlier calls were asked for, by clip id."""
    if not ledger.state.exists(_NAME):
        return {}
    return {row.clip_id: row for row in ledger.state.read_as(_NAME, from_parquet)}


def check_same_clips(rows: list[Row], before: dict[str, Row], ledger: Ledger) -> None:
    """`ConfigError` where finished clips are now said to be something else.

    That is another gloss or signer, another video or range under the same id, or the same video and
    range under another id. A video that was moved is the same while its size is.
    """
    done = {clip_id: row for clip_id, row in before.items() if clip_id in ledger.done}
    advice = "Choose another --out, or correct the manifest"
    relabelled, replaced, renamed = [], [], []
    by_content = {_content(row): clip_id for clip_id, row in done.items()}
    for row in rows:
        if (known := done.get(row.clip_id)) is None:
            if (other := by_content.get(_content(row))) is not None:
                renamed.append(f"{other!r} is now {row.clip_id!r}")
        elif _label(known) != _label(row):
            relabelled.append(repr(row.clip_id))
        elif not _is_same_video(known, row):
            replaced.append(f"{row.clip_id!r} was {_described(known)}, now {_described(row)}")
    for found, what in (
        (relabelled, "have another gloss or signer than the manifest now says"),
        (replaced, "come from another video or range than the manifest now says"),
        (renamed, "are in the manifest under another clip id, and would be there twice"),
    ):
        if found:
            more = ", ..." if len(found) > _NUM_NAMED else ""
            raise ConfigError(
                f"{len(found)} clips in {ledger.out.location} {what}: "
                f"{', '.join(found[:_NUM_NAMED])}{more}. {advice}"
            )


def remember(rows: list[Row], before: dict[str, Row], ledger: Ledger) -> None:
    """Write all clips ever asked for: others look up a clip's video here."""
    every = before | {row.clip_id: row for row in rows}
    with writing(ledger.out.location):
        ledger.state.write_bytes(_NAME, to_parquet(list(every.values())))


def _label(row: Row) -> tuple[object, ...]:
    """Earlier versions wrote a text where the source names no signer."""
    return row.gloss, row.glosses, row.signer or "unknown"


def _range(row: Row) -> tuple[int | float | None, ...]:
    return tuple(getattr(row, name) for name in _RANGE)


def _content(row: Row) -> tuple[object, ...]:
    return row.path, _range(row)


def _is_same_video(one: Row, other: Row) -> bool:
    if _range(one) != _range(other):
        return False
    if one.size_bytes is not None and other.size_bytes is not None:
        return one.size_bytes == other.size_bytes
    return one.path == other.path


def _described(row: Row) -> str:
    limits = [f"{name} {value:g}" for name in _RANGE if (value := getattr(row, name)) is not None]
    size = "" if row.size_bytes is None else f" of {row.size_bytes:,} bytes"
    return f"{row.path}{size}" + (f" ({', '.join(limits)})" if limits else "")
