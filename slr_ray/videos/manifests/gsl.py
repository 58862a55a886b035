"""GSL, isolated: {train,val,test}_greek_iso.csv, lines `PATH|GLOSS` without a heading.

Adaloglou et al.: A Comprehensive Study on Deep Learning-based Methods for Sign Language
Recognition, IEEE TMM 2021; format after that study's published loaders. PATH is such as
`police1_signer1_rep1_glosses/glosses0000`; the signer stands in it. The corpus is published as
folders of pictures: join each to a video of the same name first (for example `ffmpeg -framerate 30
-i frame_%04d.jpg`), as extraction reads videos. Not run on the corpus itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions, Row
from slr_ray.videos.manifests.tables import read_csv

_SPLITS = ("train", "dev", "val", "test")
_BEGINNINGS = tuple(f"{split}_" for split in _SPLITS)
_SIGNER = re.compile(r"signer_?(\d+)")


def from_metadata(metadata: Path, videos: str, options: ManifestOptions) -> Manifest:
    """One clip a line, called after its path; --metadata is one CSV file or their folder.

    The published folder also holds lists of classes and corrections, which are no clips.
    """
    files = [metadata]
    if metadata.is_dir():
        files = sorted(
            one for one in metadata.glob("*_*iso*.csv") if one.name.startswith(_BEGINNINGS)
        )
    if not files:
        raise DataError(f"{str(metadata)!r} holds no file such as train_greek_iso.csv")
    index = VideoIndex(list_videos(videos).files)
    entries = Entries(options)
    for path in files:
        split = next((one for one in _SPLITS if path.name.startswith(one)), None)
        table = read_csv(str(path), "|", ["path", "gloss"])
        for number, line in enumerate(table.to_pylist(), start=1):
            name, gloss = line["path"], line["gloss"]
            where = f"{path}, line {number}"
            if not (name and gloss):
                entries.broken(where, str(name), "expected PATH|GLOSS")
                continue
            signer = _SIGNER.search(name)
            # Only the whole path tells clips apart: every recording has a glosses0000.
            file = index.find_path(name)
            if file is None:
                entries.missing(where, name, f"no video {name}.mp4 (pictures must be joined first)")
                continue
            entries.rows.append(
                Row(
                    name,
                    file.path,
                    gloss,
                    f"signer{signer[1]}" if signer else options.fallback_signer,
                    split,
                    size_bytes=file.size_bytes,
                )
            )
    return entries.manifest()
