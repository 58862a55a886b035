"""The options of the import command, checked against the format before anything is read."""

from __future__ import annotations

import re
from pathlib import Path

from slr_ray.annotations import READERS
from slr_ray.corpora.importers import IMPORTERS
from slr_ray.corpora.importers.gloss_list import read_glosses
from slr_ray.corpora.importers.source import ImportOptions, usable_fps
from slr_ray.errors import ConfigError
from slr_ray.text import known

_NUMBERED = ("spoter_csv",)
"""Formats whose glosses are numbers."""
_PIXELS = ("openpose", "coco_wholebody", "mska", "isharah")
"""Formats in pixels of a picture whose size they do not give."""
_SIZE = re.compile(r"([1-9]\d*)\s*[xX×]\s*([1-9]\d*)")


def read_options(
    source_format: str,
    signer: str | None,
    glosses_file: Path | None,
    labels_from: int | None,
    fps: float | None,
    picture_size: str | None,
    poses: str | None,
) -> ImportOptions:
    """What the user says of a source. `ConfigError` names an option that makes no sense."""
    if source_format not in IMPORTERS:
        raise ConfigError(f"no format {source_format!r}; there are {', '.join(IMPORTERS)}")
    if glosses_file is not None and source_format not in _NUMBERED:
        raise ConfigError(f"--glosses is for spoter_csv; {source_format} names its own glosses")
    if labels_from is not None and glosses_file is None:
        raise ConfigError("--labels-from says how --glosses counts: give both, or neither")
    if labels_from not in (None, 0, 1):
        raise ConfigError(f"--labels-from is {labels_from}; labels count from 0 or from 1")
    if picture_size is not None and source_format not in _PIXELS:
        raise ConfigError(f"--picture-size is for {', '.join(_PIXELS)}; {source_format} needs none")
    if poses is None and source_format in READERS:
        raise ConfigError(
            f"{source_format} names sentences and holds no poses: pass --poses SHARDS, what "
            "`slr_ray.extract` or another import made of its videos"
        )
    if poses is not None and source_format not in READERS:
        raise ConfigError(f"--poses is for {', '.join(READERS)}; {source_format} has its own")
    if fps is not None and usable_fps(fps) is None:
        raise ConfigError(f"--fps is {fps}; a frame rate is above 0")
    if signer is not None and known(signer) is None:
        raise ConfigError(
            f"--signer {signer!r} names nobody; leave it out if the signer is unknown"
        )
    glosses, first = None, None
    if glosses_file is not None:
        glosses, first = read_glosses(glosses_file)
        if None not in (first, labels_from) and first != labels_from:
            raise ConfigError(
                f"{glosses_file} numbers its glosses from {first}, --labels-from is {labels_from}: "
                "leave the option out"
            )
        labels_from = first if labels_from is None else labels_from
    size = _size(picture_size) if picture_size is not None else None
    return ImportOptions(
        signer,
        glosses,
        labels_from,
        are_numbered=first is not None,
        fps=fps,
        picture_size=size,
        poses=poses,
    )


def _size(text: str) -> tuple[int, int]:
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        raise ConfigError(f"--picture-size is {text!r}; write width and height, e.g. 1280x720")
    return int(size[1]), int(size[2])
