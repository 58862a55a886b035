"""What is known of a clip in which somebody signs a whole sentence."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from slr_ray.errors import DataError

FRAMES_A_STEP = 4
"""Of encoders of sentences, which thin time so: step t covers frames 4 t to 4 t + 3 of those that
the model read."""
_Count = TypeVar("_Count", int, np.ndarray)

Times = tuple[tuple[int, int], ...]
"""Start and end of each gloss in frames, the end not included."""


@dataclass(frozen=True)
class Sentence:
    """The glosses of a continuous clip in their order, with their times where somebody knows them.

    >>> slr_ray.Sentence(("I", "book", "read"), times=((4, 11), (15, 30), (33, 48))).glosses[1]
    'book'

    `text` is the sentence in a spoken language, for reading only.
    """

    glosses: tuple[str, ...]
    times: Times | None = None
    text: str | None = None


def num_steps_of(num_frames: _Count) -> _Count:
    """Steps of so many frames; the last one may cover fewer than `FRAMES_A_STEP`."""
    return -(-num_frames // FRAMES_A_STEP)


def check_sentence(sentence: Sentence, num_frames: int, clip_id: str) -> None:
    """`DataError` that names the clip where its glosses or their times can't be."""
    glosses, times = sentence.glosses, sentence.times
    is_row = isinstance(glosses, Sequence) and not isinstance(glosses, str)
    if not is_row or not all(isinstance(gloss, str) for gloss in glosses):
        raise DataError(
            f"clip {clip_id!r}: the glosses of its sentence are {glosses!r}, expected a tuple of "
            "texts, such as ('book',)"
        )
    if not glosses:
        raise DataError(
            f"clip {clip_id!r} has an empty sentence: leave `glosses` null where nobody knows them"
        )
    empty = [place for place, gloss in enumerate(glosses) if not gloss.strip()]
    if empty:
        raise DataError(f"clip {clip_id!r}: gloss {empty[0]} of its sentence is empty")
    if len(glosses) > num_frames:
        raise DataError(
            f"clip {clip_id!r} has {len(glosses)} glosses in {num_frames} frames: at least one "
            "frame a gloss is needed"
        )
    if not isinstance(sentence.text, str | None):
        raise DataError(
            f"clip {clip_id!r}: the text of its sentence is {sentence.text!r}, expected text"
        )
    if times is None:
        return
    if not _are_frames(times):
        raise DataError(
            f"clip {clip_id!r}: the times of its sentence are {times!r}, expected pairs of whole "
            "numbers, the frames at which a gloss starts and ends"
        )
    if len(times) != len(glosses):
        raise DataError(
            f"clip {clip_id!r} has {len(glosses)} glosses, but times of {len(times)}: give a start "
            "and an end for each, or none"
        )
    _check_times(times, glosses, num_frames, clip_id)


def _are_frames(times: Any) -> bool:
    try:
        _ = [(operator.index(start), operator.index(end)) for start, end in times]
    except (TypeError, ValueError):
        return False
    return True


def _check_times(times: Times, glosses: Sequence[str], num_frames: int, clip_id: str) -> None:
    before = 0
    for gloss, (start, end) in zip(glosses, times, strict=True):
        told = f"clip {clip_id!r}: gloss {gloss!r} at frames {start} to {end}"
        if end <= start:
            raise DataError(f"{told} ends before it starts")
        if start < before:
            raise DataError(f"{told} starts before frame {before}, where the gloss before it ends")
        if end > num_frames:
            raise DataError(f"{told} ends after the clip's {num_frames} frames")
        before = end
