"""LSA64: videos named GLOSS_SIGNER_REPETITION.mp4, each a number of three digits.

Ronchetti et al.: LSA64, 2016: 64 glosses, 10 signers, 5 repetitions. The corpus publishes no split.
Without --metadata a gloss is its number, as in the file names; with it, a text file of one name a
line (in the order of the numbers) names them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slr_ray.errors import DataError
from slr_ray.text import read_lines
from slr_ray.videos.manifests.folders import from_videos
from slr_ray.videos.manifests.manifest import Manifest, ManifestOptions


def from_metadata(metadata: Path | None, videos: str, options: ManifestOptions) -> Manifest:
    """One clip a video; `DataError` where a gloss has no name in the list."""
    made = from_videos(videos, replace(options, layout="lsa64"))
    if metadata is None:
        return made
    names = read_lines(metadata)
    rows = []
    for row in made.rows:
        number = int(row.gloss or 0)
        if not 1 <= number <= len(names) or not names[number - 1]:
            raise DataError(f"{metadata}: line {number} names no gloss, but {row.path} needs it")
        rows.append(replace(row, gloss=names[number - 1]))
    return Manifest(rows, made.notes, made.skipped, made.absent)
