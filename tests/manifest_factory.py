"""Folders for manifests to list, and their rows."""

from __future__ import annotations

from pathlib import Path

from slr_ray.videos.manifests.manifest import Manifest, ManifestOptions, Row

PLAIN = ManifestOptions()


def files(folder: Path, *names: str) -> Path:
    """Videos and pictures for listing only: no manifest opens them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 7)
    return folder


def by_id(made: Manifest) -> dict[str, Row]:
    return {row.clip_id: row for row in made.rows}
