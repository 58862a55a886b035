"""Which video the clips of extracted pose shards come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs as arrow_fs

from slr_ray.errors import DataError
from slr_ray.storage import resolve
from slr_ray.videos.detection.config import settings_of
from slr_ray.videos.frames.source import VideoClip

MANIFEST = "_extraction/manifest.parquet"
"""Beside the shards; `slr_ray.extract` writes it."""


@dataclass(frozen=True)
class Footage:
    """The video of one clip, and the rate that its poses were extracted at."""

    video: VideoClip
    target_fps: float | None


def find_footage(
    location: str, provenance: Iterable[dict[str, Any]], clip_ids: Iterable[str]
) -> dict[str, Footage]:
    """The videos of those clips that the manifest beside the shards knows, by clip id.

    The manifest of a single shard is sought in the shard's folder. Empty for shards that were not
    extracted here. Whether a video is still there is not looked at. Raises `DataError` on a broken
    manifest.
    """
    filesystem, path = resolve(location)
    is_file = filesystem.get_file_info(path).type == arrow_fs.FileType.File
    manifest = str((PurePosixPath(path).parent if is_file else PurePosixPath(path)) / MANIFEST)
    if filesystem.get_file_info(manifest).type != arrow_fs.FileType.File:
        return {}
    try:
        table = pq.read_table(manifest, filesystem=filesystem)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{manifest} is not a manifest: {error}") from None
    if not {"clip_id", "path"} <= set(table.column_names):
        raise DataError(f"{manifest} is not a manifest: it lacks the column clip_id or path")
    names = [field.name for field in fields(VideoClip) if field.name in table.column_names]
    wanted = pc.field("clip_id").isin(list(clip_ids))
    target_fps = _target_fps(provenance)
    return {
        row["clip_id"]: Footage(VideoClip(**({"gloss": None, "signer": None} | row)), target_fps)
        for row in table.filter(wanted).select(names).to_pylist()
    }


def footage_by_hand(
    video: Path, clip_id: str, provenance: Iterable[dict[str, Any]], known: dict[str, Footage]
) -> Footage:
    """The user's own file, or folder of pictures, as a clip's video, in the manifest's range."""
    if not video.exists():
        raise DataError(f"no such video: {video}")
    told = known[clip_id].video if clip_id in known else VideoClip(clip_id, "", None, None)
    return Footage(replace(told, path=str(video)), _target_fps(provenance))


def _target_fps(provenance: Iterable[dict[str, Any]]) -> float | None:
    """The rate that the shards' poses were extracted at; None where as filmed or not recorded."""
    rates = {one.get("target_fps") for one in settings_of(provenance) if one is not None}
    return rates.pop() if len(rates) == 1 else None
