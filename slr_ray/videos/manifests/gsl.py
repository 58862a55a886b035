"""GSL, isolated: {train,val,test}_greek_iso.csv, lines `PATH|GLOSS` without a heading.

Adaloglou et al.: A Comprehensive Study on Deep Learning-based Methods for Sign Language
Recognition, IEEE TMM 2021; format after that study's published loaders. PATH is such as
`police1_signer1_rep1_glosses/glosses0000`; the signer stands in it. The corpus is published as
folders of pictures, 30 a second, which are read as they are; videos of the same names do, too. Not
run on the corpus itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.text import read_lines
from slr_ray.videos.manifests.files import VideoIndex, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions

_SPLITS = ("train", "dev", "val", "test")
_BEGINNINGS = tuple(f"{split}_" for split in _SPLITS)
_FPS = 30.0
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
    listing = list_videos(videos)
    index = VideoIndex(listing.files)
    fps = options.fps or _FPS
    entries = Entries(replace(options, fps=fps))
    for path in files:
        split = next((one for one in _SPLITS if path.name.startswith(one)), None)
        for number, line in enumerate(read_lines(path), start=1):
            name, _, gloss = (part.strip() for part in line.partition("|"))
            where = f"{path}, line {number}"
            if not line:
                continue
            if not (name and gloss):
                entries.broken(where, name, "expected PATH|GLOSS")
                continue
            signer = _SIGNER.search(name)
            # Only the whole path tells clips apart: every recording has a glosses0000.
            file = index.find_path(name)
            if file is None:
                entries.missing(where, name, f"no folder of pictures and no video {name}")
                continue
            person = f"signer{signer[1]}" if signer else None
            entries.add(name, file, gloss, person, split)
    return entries.manifest(*listing.notes(fps))
