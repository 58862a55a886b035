"""LSFB-ISOL: instances.csv with id, sign, signer, start, end; splits as lists of ids in JSON.

Fink et al.: LSFB-CONT and LSFB-ISOL, IJCNN 2021; format after the second version's published
loader (lsfb-dataset): videos/ID.mp4 are cut already, so `start` and `end` (milliseconds in the
long recording) are not applied. --metadata is instances.csv or the corpus's folder; a folder
`metadata/splits` or `splits` beside it with {train,val,test}.json gives the splits. Not run on the
corpus itself.
"""

from __future__ import annotations

import json
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.text import decoded, normal_name
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions
from slr_ray.videos.manifests.tables import ignored_note, read_columns

_COLUMNS = ("id", "sign", "signer")
_SPLITS = ("train", "val", "test")


def from_metadata(metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip an instance, called after its id. `DataError` where columns are missing."""
    path = metadata / "instances.csv" if metadata.is_dir() else metadata
    lines, ignored = read_columns(path, _COLUMNS, "LSFB-ISOL")
    splits = _splits(path.parent)
    index = VideoIndex(list_videos(videos).files)
    entries = Entries(options)
    for number, line in enumerate(lines, start=2):
        clip_id, gloss, signer = (line[column] for column in _COLUMNS)
        where = f"{path}, line {number}"
        if not (clip_id and gloss):
            entries.broken(where, clip_id, "id or sign is empty")
            continue
        file = index.find(clip_id)
        if file is None:
            entries.missing(where, clip_id, f"no video {clip_id}")
            continue
        entries.add(clip_id, file, gloss, signer, splits.get(normal_name(clip_id)))
    notes = [] if splits else ["no splits beside instances.csv"]
    return entries.manifest(*notes, *ignored_note(ignored))


def _splits(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for split in _SPLITS:
        for path in (
            folder / "metadata" / "splits" / f"{split}.json",
            folder / "splits" / f"{split}.json",
        ):
            if not path.is_file():
                continue
            try:
                ids = json.loads(decoded(path.read_bytes(), str(path)))
            except (OSError, ValueError) as error:
                raise DataError(f"cannot read {str(path)!r} as JSON: {error}") from None
            if not isinstance(ids, list):
                raise DataError(f"{path}: expected a list of ids")
            found.update((normal_name(str(one)), split) for one in ids)
    return found
