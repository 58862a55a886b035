"""Corpora of continuous signing: what their annotations name, as clips to extract.

See `slr_ray.annotations` for the files. --metadata is one of them or their folder, --videos the
folder of the pictures, such as PHOENIX's `features/fullFrame-210x260px`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from slr_ray.annotations import READERS, csl_daily, phoenix
from slr_ray.annotations.annotation import Annotation
from slr_ray.poses.sentence import Sentence
from slr_ray.videos.manifests.files import VideoFile, VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions

_FPS = {"phoenix14": phoenix.FPS, "phoenix14t": phoenix.FPS, "csl_daily": csl_daily.FPS}
"""Of the published pictures, a second."""


def _from_metadata(name: str, metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip a sentence, called as the annotations call it."""
    annotations = READERS[name](metadata)
    listing = list_videos(videos)
    index = VideoIndex(listing.files)
    fps = options.fps or _FPS[name]
    entries = Entries(replace(options, fps=fps))
    for entry in annotations.broken:
        entries.broken(entry.source, entry.clip_id, entry.reason)
    for row in annotations.rows:
        file = _located(row, index)
        if file is None:
            where = row.folder or row.name
            entries.missing(row.origin, row.name, f"no folder of pictures and no video {where}")
            continue
        sentence = None if row.glosses is None else Sentence(row.glosses, text=row.text)
        entries.add(row.name, file, None, row.signer, row.split, sentence)
    return entries.manifest(*annotations.notes, *listing.notes(fps))


def _located(row: Annotation, index: VideoIndex) -> VideoFile | None:
    """The pictures or the video of a sentence.

    2014's lie in SPLIT/FOLDER/1 as its `folder` says; 2014-T has the same text and lies in
    SPLIT/FOLDER. Two splits may have a folder of one name, so the longest path is tried first.
    """
    folder = row.folder or row.name
    paths = [folder, folder.removesuffix("/1")]
    tried = [f"{row.split}/{one}" for one in paths if row.split] + paths
    return next((file for one in tried if (file := index.find_path(one))), None)


CORPORA: dict[str, Callable[[Path, str, ManifestOptions], Manifest]] = {
    name: partial(_from_metadata, name) for name in _FPS
}
