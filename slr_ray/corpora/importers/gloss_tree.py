"""Glosses from folders: SPLIT/GLOSS/CLIP, GLOSS/CLIP, or clips alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.text import is_sidecar, normal_name, split_name


def files_below(folder: Path, pattern: str) -> Iterator[tuple[Path, PurePosixPath]]:
    """The data files below a folder with their paths from there, in the order of these paths."""
    found = ((file, file.relative_to(folder)) for file in folder.rglob(pattern))
    for file, name in sorted(found, key=lambda one: one[1].as_posix()):
        if file.is_file() and not is_sidecar(name):
            yield file, PurePosixPath(name.as_posix())


def glosses(clips: Sequence[PurePosixPath], remarks: Remarks) -> list[str | None]:
    """The folder that each clip lies in, None right in the source.

    Folders that are all called train, val, test or the like are splits, so that the clips in them
    have no gloss. Folders above the gloss are told to the user and are not used.
    """
    names = [normal_name(clip.parent.name) or None for clip in clips]
    if any(names) and all(name is None or split_name(name) for name in names):
        splits = ", ".join(sorted({name for name in names if name}))
        remarks.add(f"folders {splits} are splits and no glosses: their clips have no gloss")
        return [None] * len(clips)
    above = {part for clip in clips for part in clip.parent.parent.parts}
    if above:
        remarks.add("folders above the glosses are not used", *sorted(above))
    return names
