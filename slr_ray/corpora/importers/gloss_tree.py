"""Glosses from folders: SPLIT/GLOSS/CLIP, GLOSS/CLIP, or clips alone."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.text import is_sidecar, normal_name, split_name


def files_below(folder: Path, pattern: str) -> list[tuple[Path, PurePosixPath]]:
    """The data files below a folder with their paths from there, in the order of these paths.

    A file that was named instead of a folder is the only one, whatever it is called. Links to
    folders are followed: corpora are often put together from them.
    """
    if folder.is_file():
        return [(folder, PurePosixPath(folder.name))]
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        here = Path(place)
        # A link to a folder above it would lead round in circles.
        folders[:] = [
            one
            for one in folders
            if not is_sidecar(PurePath(one)) and not _is_within(here, here / one)
        ]
        found += [here / name for name in fnmatch.filter(names, pattern)]
    named = ((file, PurePosixPath(file.relative_to(folder).as_posix())) for file in found)
    return sorted(
        (one for one in named if not is_sidecar(one[1])), key=lambda one: one[1].as_posix()
    )


def _is_within(folder: Path, above: Path) -> bool:
    return above.is_symlink() and folder.resolve().is_relative_to(above.resolve())


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
