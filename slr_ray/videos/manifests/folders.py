"""Clips from where videos lie and what they are called.

Layouts: `gloss/clip` (GLOSS/CLIP.mp4), `signer/gloss/clip`, `gloss/signer/clip`,
`category/gloss/clip` (topics such as Animals, as INCLUDE has them; they are not used),
`split/gloss/clip`, `flat` (unlabelled clips) and `lsa64` (LSA64's names, see `lsa64.py`). Without
one it is detected from the depth of the folders, and from names such as train and val on the first
level; the notes say which was taken.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from slr_ray.errors import ConfigError, DataError
from slr_ray.text import split_name
from slr_ray.videos.manifests.categories import category_note
from slr_ray.videos.manifests.files import Listing, VideoFile, list_videos
from slr_ray.videos.manifests.manifest import Entries, Manifest, ManifestOptions

_BY_DEPTH = {1: "flat", 2: "gloss/clip", 3: "signer/gloss/clip"}
LAYOUTS = (
    *_BY_DEPTH.values(),
    "gloss/signer/clip",
    "category/gloss/clip",
    "split/gloss/clip",
    "lsa64",
)
LSA64_NAME = re.compile(r"(?P<gloss>\d{3})_(?P<signer>\d{3})_(?P<repetition>\d{3})")
_FIELD = re.compile(r"\{(\w+)\}")


def from_videos(source: str, options: ManifestOptions) -> Manifest:
    """The clips of a folder, a glob, a file or a URI, one a video.

    `DataError` where there is no video or where the folders are of different depths.
    """
    listing = list_videos(source)
    if options.pattern is not None:
        if options.layout is not None:
            raise ConfigError("give --layout or --pattern, not both")
        whole_path = "/" in options.pattern
        return _by_pattern(listing, compiled(options.pattern), options, whole_path)
    layout = options.layout or detected(listing.files)
    if layout not in LAYOUTS:
        raise ConfigError(f"no layout {layout!r}; there are {', '.join(LAYOUTS)}")
    how = "as asked" if options.layout else "detected; --layout or --pattern says otherwise"
    notes = [f"layout {layout} ({how})"]
    notes += listing.notes(options.fps)
    if layout == "lsa64":
        made = _by_pattern(listing, LSA64_NAME, options)
        return Manifest(made.rows, [*notes, *made.notes], made.skipped)
    entries = _entries(listing, options)
    names = layout.split("/") if layout != "flat" else ["clip"]
    for file in listing.files:
        parts = PurePosixPath(file.name).parts
        if layout != "flat" and len(parts) != len(names):
            entries.broken(file.path, file.stem, f"{file.name!r} is not {layout}.mp4")
            continue
        known = dict(zip(names, parts, strict=False)) if layout != "flat" else {}
        _add(entries, file, known)
    if layout == "signer/gloss/clip" and options.layout is None:
        notes += category_note(entries.rows)
    return entries.manifest(*notes)


def detected(files: list[VideoFile]) -> str:
    """The layout that fits all files; `DataError` where none does."""
    if all(LSA64_NAME.fullmatch(PurePosixPath(one.stem).name) for one in files):
        return "lsa64"
    depths: dict[int, str] = {}
    for one in files:
        depths.setdefault(len(PurePosixPath(one.name).parts), one.name)
    if len(depths) > 1 or next(iter(depths)) not in _BY_DEPTH:
        examples = ", ".join(repr(name) for _, name in sorted(depths.items()))
        raise DataError(
            f"these folders have no layout that can be told: {examples}. "
            f"Say what they mean with --layout ({', '.join(LAYOUTS)}) or "
            "--pattern '{signer}/{gloss}/{clip}'"
        )
    if next(iter(depths)) == 3 and all(
        split_name(PurePosixPath(one.name).parts[0]) is not None for one in files
    ):
        return "split/gloss/clip"
    return _BY_DEPTH[next(iter(depths))]


def compiled(pattern: str) -> re.Pattern[str]:
    """`{gloss}_{signer}_{repetition}` as a regular expression; `ConfigError` where it is none.

    A field is any text without a slash. `gloss`, `signer` and `split` mean something; other fields
    only tell clips apart.
    """
    fields = _FIELD.findall(pattern)
    doubled = sorted({one for one in fields if fields.count(one) > 1})
    if not fields or doubled:
        what = f"names {doubled[0]!r} twice" if doubled else "has no field"
        raise ConfigError(f"--pattern {pattern!r} {what}; write e.g. '{{gloss}}_{{signer}}_{{n}}'")
    pieces = _FIELD.split(pattern)
    text = "".join(
        f"(?P<{piece}>[^/]+?)" if index % 2 else re.escape(piece)
        for index, piece in enumerate(pieces)
    )
    return re.compile(text)


def _entries(listing: Listing, options: ManifestOptions) -> Entries:
    """Without a clip yet; videos whose names can't be written are broken entries."""
    entries = Entries(options)
    for name in listing.unnameable:
        entries.broken(name, name, "the name is not UTF-8: rename the file or its folder")
    return entries


def _by_pattern(
    listing: Listing,
    pattern: re.Pattern[str],
    options: ManifestOptions,
    whole_path: bool = False,
) -> Manifest:
    """`whole_path`: the pattern is for the path below the source, not for the name only."""
    entries = _entries(listing, options)
    for file in listing.files:
        text = file.stem if whole_path else PurePosixPath(file.stem).name
        found = pattern.fullmatch(text)
        if found is None:
            entries.broken(file.path, file.stem, f"the name {text!r} does not fit the pattern")
            continue
        _add(entries, file, found.groupdict())
    return entries.manifest(*(listing.notes(options.fps) if options.pattern else []))


def _add(entries: Entries, file: VideoFile, known: dict[str, str]) -> None:
    entries.add(file.stem, file, known.get("gloss"), known.get("signer"), known.get("split"))
