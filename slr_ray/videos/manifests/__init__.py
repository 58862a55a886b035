"""Manifests: the clips of a source of videos, one file a kind of source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from slr_ray.errors import ConfigError, DataError
from slr_ray.videos.manifests import asl_citizen, gsl, lsa64, lsfb_isol, sentences, wlasl
from slr_ray.videos.manifests.folders import from_videos
from slr_ray.videos.manifests.manifest import Manifest, ManifestOptions, check_manifest
from slr_ray.videos.manifests.tables import from_table, is_table

CORPORA: dict[str, Callable[[Path, str, ManifestOptions], Manifest]] = {
    "wlasl": wlasl.from_metadata,
    "asl_citizen": asl_citizen.from_metadata,
    "lsa64": lsa64.from_metadata,
    "gsl": gsl.from_metadata,
    "lsfb_isol": lsfb_isol.from_metadata,
    **sentences.CORPORA,
}
"""Corpora with metadata files of their own, by the name that the command line takes."""

_WITHOUT_METADATA = ("lsa64",)


def read_manifest(source: str, options: ManifestOptions) -> Manifest:
    """The clips of a folder, a glob, a URI, or a CSV or Parquet file.

    Raises `DataError` where the source is unusable or names a clip id twice.
    """
    made = from_table(source, options) if is_table(source) else from_videos(source, options)
    check_manifest(made)
    return made


def read_corpus(name: str, metadata: Path | None, options: ManifestOptions) -> Manifest:
    """The clips that a corpus's metadata names and whose videos are there."""
    if name not in CORPORA:
        raise ConfigError(f"no corpus {name!r}; there are {', '.join(CORPORA)}")
    if options.videos is None:
        raise ConfigError(f"--corpus {name} needs --videos: the folder or URI of its videos")
    if metadata is None and name not in _WITHOUT_METADATA:
        raise ConfigError(f"--corpus {name} needs --metadata: the file that lists its clips")
    if metadata is not None and not metadata.exists():
        raise DataError(f"no such file or folder: {str(metadata)!r}")
    made = CORPORA[name](metadata, options.videos, options)  # type: ignore[arg-type]
    check_manifest(made)
    return replace(made, rows=[replace(row, corpus=name) for row in made.rows])
