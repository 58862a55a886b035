"""WLASL: WLASL_v0.3.json, a list of {gloss, instances: [{video_id, signer_id, split, ...}]}.

Li et al.: Word-level Deep Sign Language Recognition from Video, WACV 2020; format after the
README of its repository (dxli94/WLASL). `frame_start` counts from 1, `frame_end` is the last frame,
-1 means the end of the video; both count at `fps` (25). A video is found as VIDEO_ID.mp4, as the
repository's preprocessing and its redistributions name clips that are cut already: it is taken
whole. A YouTube video is also found by its YouTube id, as the downloader names it; its range is
then cut out. We give the range in seconds, `frame / fps`, since a download may have another rate;
the repository's script counts the download's own frames (README and script disagree there).
A signer below 0 is nobody known. What is not used is named. Unverified: whether videos of other
pages, stored as VIDEO_ID.mp4, ever hold more than the sign; their ranges are 1 to -1.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from slr_ray.errors import DataError
from slr_ray.text import decoded
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions, whole
from slr_ray.videos.manifests.tables import ignored_note

_YOUTUBE = re.compile(r"(?:youtu\.be/|[?&]v=|/embed/|/shorts/)([\w-]{11})")
_FPS = 25.0
_USED = ("video_id", "signer_id", "split", "url", "fps", "frame_start", "frame_end")


def from_metadata(metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip an instance; its id is the video id. `DataError` where the file is another."""
    index = VideoIndex(list_videos(videos).files)
    entries = Entries(options)
    ignored: dict[str, None] = {}
    for entry in read(metadata):
        gloss = entry.get("gloss")
        for instance in entry.get("instances", []):
            ignored |= dict.fromkeys(name for name in instance if name not in _USED)
            video_id = _text(instance.get("video_id")) or ""
            where = f"{metadata}, gloss {gloss!r}, video_id {video_id!r}"
            try:
                _add(entries, where, str(gloss), video_id, instance, index)
            except (ValueError, TypeError) as error:
                entries.broken(where, video_id, str(error))
    return entries.manifest(*ignored_note(sorted(ignored)))


def read(metadata: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(decoded(metadata.read_bytes(), str(metadata)))
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
    signer = _text(instance.get("signer_id"))
    known: dict[str, Any] = {
        "gloss": gloss,
        "signer": None if signer is None or signer.startswith("-") else signer,
        "split": instance.get("split"),
    }
    file = index.find(video_id)
    if file is not None:
        # The file's name, where the id lost its leading zeros.
        name = PurePosixPath(file.stem).name if video_id.isdecimal() else video_id
        entries.add(name, file, **known)
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
    start_s, end_s = (first - 1) / fps, None if last == -1 else last / fps
    entries.add(video_id, file, **known, start_s=start_s, end_s=end_s)


def _text(value: Any) -> str | None:
    """An id; beside empty ones pandas keeps numbers as fractions."""
    if value is None:
        return None
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
