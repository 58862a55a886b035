"""Where in a corpus's folder its annotations lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from slr_ray.annotations.annotation import split_in_name
from slr_ray.errors import DataError


def files_of(
    path: Path, places: Sequence[str], *kinds: re.Pattern[str]
) -> list[tuple[Path, str | None]]:
    """The annotation files of a corpus, with the splits that their names speak of.

    `path` is a file, or a folder in which they are looked for: at the first of `places`, globs,
    that has any of the first kind, or else of the next. Only there, as a corpus's folder may hold a
    million pictures. `DataError` where there is nothing, or where several folders fit.
    """
    if path.is_file():
        return [(path, split_in_name(path.name))]
    if not path.exists():
        raise DataError(f"no such file or folder: {str(path)!r}")
    for kind in kinds:
        for place in places:
            found = sorted(
                file
                for folder in ([path] if place == "." else sorted(path.glob(place)))
                for file in (folder.iterdir() if folder.is_dir() else ())
                if kind.fullmatch(file.name) and not file.name.startswith(".")
            )
            if len(folders := sorted({str(file.parent) for file in found})) > 1:
                raise DataError(f"{str(path)!r} holds several: {', '.join(folders)}. Name one")
            if found:
                return [(file, split_in_name(file.name)) for file in found]
    looked = ", ".join(places)
    raise DataError(f"{str(path)!r} holds no annotations of this format (looked in {looked})")
