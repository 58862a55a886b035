"""What every importer gives: a source found usable, and its clips one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.errors import DataError
from slr_ray.poses.clip import Clip, check_clip
from slr_ray.poses.shards import Skipped
from slr_ray.text import known, normal_name


class SourceError(DataError):
    """What is wrong with all clips of a source, so that to leave some out does not help."""


@dataclass(frozen=True)
class ImportOptions:
    """What the user knows and the source may not say."""

    signer: str | None = None
    """Signer of the clips for which the source names none."""
    glosses: tuple[str, ...] | None = None
    """Names of the labels; only formats that number their glosses use it."""
    labels_from: int | None = None
    """The label of the first of `glosses`, 0 or 1; None where nobody says."""
    are_numbered: bool = False
    """Whether the file of `glosses` says itself which label each of them has."""
    fps: float | None = None
    """Frame rate of the clips for which the source names none."""
    picture_size: tuple[int, int] | None = None
    """Width and height of the videos in pixels; only formats that give pixels without it use it."""
    poses: str | None = None
    """Pose shards of the clips; only formats that hold no poses use it."""

    @property
    def fallback_signer(self) -> str | None:
        return known(self.signer)

    def signer_or(self, named: str | None) -> str | None:
        """The signer that the source names, else the user's."""
        return known(named) or self.fallback_signer

    def fps_or(self, named: float | str | None) -> float | None:
        """The frame rate that the source names, else the user's."""
        return usable_fps(named) or self.fps


@dataclass(frozen=True)
class Item:
    """One clip of a source, not read yet; `read` raises `DataError` where it is broken."""

    clip_id: str
    origin: str
    """The file, and the row in it, for messages."""
    read: Callable[[], Clip]


@dataclass(frozen=True)
class Source:
    """A source that exists and has the format's layout; only reading tells whether clips are whole.

    `provenance` says where the poses come from: `extractor`, `version` (None where the source does
    not say) and `settings`. `remarks` grow while clips are read.
    """

    num_clips: int
    provenance: dict[str, Any]
    items: Iterable[Item]
    remarks: Remarks = field(default_factory=Remarks)
    splits: Mapping[str, str] = field(default_factory=dict)
    """The corpus's own split by clip id, where it has one."""


Importer = Callable[[Path, ImportOptions], Source]


def broken_item(entry: Skipped) -> Item:
    """An entry of a source that is known to be no clip before it is read."""

    def read() -> Clip:
        raise DataError(entry.reason)

    return Item(entry.clip_id, entry.source, read)


def read_clips(source: Source, *, skip_broken: bool, skipped: list[Skipped]) -> Iterator[Clip]:
    """The clips of a source, each a valid pose sequence with an id of its own.

    Names have their normal form. The first broken clip raises `DataError`; with `skip_broken` it is
    added to `skipped` instead. What is wrong with the whole source, and one of which no clip is
    left, raises `DataError` in any case.
    """
    seen: set[str] = set()
    for item in source.items:
        try:
            clip = _named(item.read())
            check_clip(clip)
            if clip.clip_id in seen:
                raise DataError(f"clip id {clip.clip_id!r} appears twice")
        except SourceError as error:
            raise DataError(f"{item.origin}: {error}") from None
        except DataError as error:
            if not skip_broken:
                raise DataError(
                    f"{item.origin}: {error}. Pass --skip-broken to leave such clips out"
                ) from None
            skipped.append(Skipped(item.origin, item.clip_id, str(error)))
            continue
        seen.add(clip.clip_id)
        yield clip
    if not seen:
        first = f", the first because: {skipped[0].reason}" if skipped else ""
        raise DataError(f"no usable clip: {len(skipped)} skipped{first}")


def _named(clip: Clip) -> Clip:
    sentence = clip.sentence
    if sentence is not None:
        glosses = tuple(normal_name(gloss) for gloss in sentence.glosses)
        sentence = replace(sentence, glosses=glosses)
    return replace(
        clip,
        clip_id=normal_name(clip.clip_id),
        gloss=normal_name(clip.gloss or "") or None,
        signer=known(clip.signer),
        sentence=sentence,
    )


def usable_fps(value: float | str | None) -> float | None:
    """A frame rate from a header or a cell; None where it is blank, no number, or not above 0."""
    try:
        fps = float(value or 0)
    except ValueError:
        return None
    return fps if fps > 0 and math.isfinite(fps) else None


def require_exists(path: Path) -> None:
    """`DataError` where nothing is at `path`."""
    if not path.exists():
        raise DataError(f"no such file or folder: {str(path)!r}")
