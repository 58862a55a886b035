"""WLASL: WLASL_v0.3.json, a list of {gloss, instances: [{video_id, signer_id, split, ...}]}.

Li et al.: Word-level Deep Sign Language Recognition from Video, WACV 2020; format after the
README of its repository (dxli94/WLASL). `frame_start` counts from 1, `frame_end` is the last frame,
-1 means the end of the video; both count at `fps` (25). A video is found as VIDEO_ID.mp4, as the
repository's preprocessing and its redistributions name clips that are cut already: it is taken
whole. A YouTube video is also found by its YouTube id, as the downloader names it; its range is
then cut out. We give the range in seconds, `frame / fps`, since a download may have another rate;
the repository's script counts the download's own frames (README and script disagree there).
The bounding box is not used. Unverified: whether videos of other pages, stored as VIDEO_ID.mp4,
ever hold more than the sign; their ranges are 1 to -1.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from slr_ray.errors import DataError
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions, Row, whole

_YOUTUBE = re.compile(r"(?:youtu\.be/|[?&]v=|/embed/|/shorts/)([\w-]{11})")
_FPS = 25.0


def from_metadata(metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip an instance; its id is the video id. `DataError` where the file is another."""
    index = VideoIndex(list_videos(videos).files)
    entries = Entries(options)
    for entry in read(metadata):
        gloss = entry.get("gloss")
        for instance in entry.get("instances", []):
            video_id = str(instance.get("video_id", ""))
            where = f"{metadata}, gloss {gloss!r}, video_id {video_id!r}"
            try:
                _add(entries, where, str(gloss), video_id, instance, index)
            except (ValueError, TypeError) as error:
                entries.broken(where, video_id, str(error))
    return entries.manifest()


def read(metadata: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(metadata.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {str(metadata)!r} as JSON: {error}") from None
    if not isinstance(entries, list) or not all(
        isinstance(one, dict) and isinstance(one.get("instances"), list) and "gloss" in one
        for one in entries
    ):
        raise DataError(f"{metadata} is not WLASL's: expected a list of {{gloss, instances}}")
    return entries


def _add(
    entries: Entries,
    where: str,
    gloss: str,
    video_id: str,
    instance: dict[str, Any],
    index: VideoIndex,
) -> None:
    if not video_id:
        raise ValueError("the instance has no video_id")
    signer = instance.get("signer_id")
    known: dict[str, Any] = {
        "gloss": gloss,
        "signer": entries.options.fallback_signer if signer is None else str(signer),
        "split": instance.get("split"),
    }
    file = index.find(video_id)
    if file is not None:
        entries.rows.append(Row(video_id, file.path, **known, size_bytes=file.size_bytes))
        return
    youtube = _YOUTUBE.search(str(instance.get("url", "")))
    file = index.find(youtube[1]) if youtube else None
    if file is None:
        names = video_id + (f" or {youtube[1]}" if youtube else "")
        entries.missing(where, video_id, f"no video {names}")
        return
    fps = float(instance.get("fps") or _FPS)
    first, last = whole(instance.get("frame_start", 1)), whole(instance.get("frame_end", -1))
    if first < 1 or (last != -1 and last < first):
        raise ValueError(f"frames {first} to {last} are no range")
    entries.rows.append(
        Row(
            video_id,
            file.path,
            **known,
            start_s=(first - 1) / fps,
            end_s=None if last == -1 else last / fps,
            size_bytes=file.size_bytes,
        )
    )
