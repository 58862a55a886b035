"""Clips and glosses from folders: SPLIT/GLOSS/CLIP, GLOSS/CLIP, or clips alone."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.corpora.importers.source import ImportOptions, Item, Source, require_exists
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip
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


ReadFile = Callable[[Path, str, str | None, ImportOptions, Remarks], Clip]
"""Reads a file as the clip of an id and a gloss."""


def source_of_files(
    path: Path,
    suffixes: Sequence[str],
    settings: dict[str, str],
    read: ReadFile,
    options: ImportOptions,
) -> Source:
    """One file or every one below a folder, a clip each; `DataError` where there is none."""
    require_exists(path)
    remarks = Remarks()
    files = [one for one in files_below(path, "*") if one[0].suffix.lower() in suffixes]
    if not files:
        raise DataError(f"{str(path)!r} is or holds no {' or '.join(suffixes)} file")
    named = glosses([name for _, name in files], remarks)
    return Source(
        num_clips=len(files),
        provenance={"extractor": "unknown", "version": None, "settings": settings},
        items=[
            Item(clip_id, str(file), partial(read, file, clip_id, gloss, options, remarks))
            for (file, name), gloss in zip(files, named, strict=True)
            for clip_id in [name.with_suffix("").as_posix()]
        ],
        remarks=remarks,
    )
