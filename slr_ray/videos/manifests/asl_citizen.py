"""ASL Citizen: splits/{train,val,test}.csv with Participant ID, Video file, Gloss, ASL-LEX Code.

Desai et al.: ASL Citizen, NeurIPS 2023. --metadata is the folder of the three files or one of them;
the split is named after the file, in our words. Each video is one sign by one participant, taken
whole. Known from the corpus's documentation; not run on the corpus itself.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from slr_ray.errors import DataError
from slr_ray.text import is_sidecar
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions
from slr_ray.videos.manifests.tables import ignored_note, read_columns

_COLUMNS = ("Participant ID", "Video file", "Gloss")


def from_metadata(metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip a line, called after its video. `DataError` where columns are missing."""
    files = [metadata]
    if metadata.is_dir():
        files = sorted(one for one in metadata.glob("*.csv") if not is_sidecar(Path(one.name)))
    if not files:
        raise DataError(f"{str(metadata)!r} holds no CSV file such as train.csv")
    index = VideoIndex(list_videos(videos).files)
    entries = Entries(options)
    ignored: dict[str, None] = {}
    for path in files:
        lines, others = read_columns(path, _COLUMNS, "ASL Citizen")
        ignored |= dict.fromkeys(others)
        for number, line in enumerate(lines, start=2):
            signer, name, gloss = (line[column] for column in _COLUMNS)
            where = f"{path}, line {number}"
            if not (name and gloss):
                entries.broken(where, name, "video or gloss is empty")
                continue
            clip_id = PurePosixPath(name).stem
            file = index.find(name, clip_id)
            if file is None:
                entries.missing(where, clip_id, f"no video {name}")
                continue
            entries.add(clip_id, file, gloss, signer, path.stem)
    return entries.manifest(*ignored_note(ignored))
