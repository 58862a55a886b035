"""Corpora of continuous signing: what their annotations name, as clips to extract.

See `slr_ray.annotations` for the files. --metadata is one of them or their folder, --videos the
folder of the pictures, such as PHOENIX's `features/fullFrame-210x260px`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from slr_ray.annotations import READERS
from slr_ray.annotations.annotation import Annotation
from slr_ray.poses.sentence import Sentence
from slr_ray.videos.manifests.files import VideoFile, VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions


def _from_metadata(name: str, metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip a sentence, called as the annotations call it."""
    annotations = READERS[name](metadata)
    listing = list_videos(videos)
    index = VideoIndex(listing.files)
    fps = options.fps or annotations.fps
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

    2014's lie in SPLIT/FOLDER/1 as its annotation says; 2014-T's says the same, and they lie in
    SPLIT/FOLDER. The longest path is tried first, as two splits may have a folder of one name.
    """
    folder = row.folder or row.name
    above = PurePosixPath(folder).parts[0]
    paths = [folder, folder.removesuffix("/1")]
    tried = (*paths, *(one.removeprefix(f"{above}/") for one in paths), row.name)
    return next((file for one in tried if (file := index.find_path(one))), None)


CORPORA: dict[str, Callable[[Path, str, ManifestOptions], Manifest]] = {
    name: partial(_from_metadata, name) for name in ("phoenix14", "phoenix14t", "csl_daily")
}
