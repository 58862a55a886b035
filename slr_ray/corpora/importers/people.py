"""One person out of the several that a detector may find in a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from slr_ray.corpora.importers.missing import Landmarks, found, frame_rows, spread, step_of
from slr_ray.corpora.importers.pixels import fractions
from slr_ray.corpora.importers.remarks import Remarks
from slr_ray.errors import DataError


@dataclass(frozen=True)
class People:
    """What a detector found in a clip, in pixels or fractions."""

    numbers: np.ndarray
    """Of the frames, rising."""
    frames: Sequence[np.ndarray]
    """People x points x (x, y, confidence), in no order that is kept from frame to frame."""
    source_fps: float | None = None
    """Of the video whose frames the numbers count, where the source says."""
    size: tuple[int, int] | None = None
    """Width and height of the picture where the source says."""

    @property
    def fps(self) -> float | None:
        """Of the frames that are there: where they are every second one, half the video's."""
        return self.source_fps and self.source_fps / (step_of(self.numbers) or 1)


def one_person(
    people: People, size: tuple[int, int] | None, clip_id: str, remarks: Remarks
) -> Landmarks:
    """The surest person, see `surest_person`, with positions as fractions of the picture.

    `size` is the picture's where the source names none.
    """
    positions, confidence = surest_person(people, clip_id, remarks)
    return fractions(positions, confidence, people.size or size), confidence


def surest_person(people: People, clip_id: str, remarks: Remarks) -> Landmarks:
    """Positions and confidence of one person over time.

    Whoever has the highest confidence in any frame is followed from there both ways: the next is
    whoever is nearest. `DataError` where there is nobody, or where the number of points changes.
    """
    kinds = sorted({frame.shape[1] for frame in people.frames if len(frame)})
    if len(kinds) != 1:
        what = f"its people have now {kinds[0]}, now {kinds[1]} points" if kinds else "it is empty"
        raise DataError(f"{what}: no person is there to follow")
    rows = frame_rows(people.numbers, clip_id, remarks)
    cleaned = [_found_people(frame) for frame in people.frames]
    if any(len(frame) > 1 for _, frame in cleaned):
        remarks.add("clips with several people, of whom the surest is followed", clip_id)
    positions = np.zeros((len(cleaned), kinds[0], 2))
    confidence = np.zeros((len(cleaned), kinds[0]))
    sums = [sure.sum(axis=1).max(initial=-1.0) for _, sure in cleaned]
    start = int(np.argmax(sums))
    if sums[start] > 0:
        surest = int(cleaned[start][1].sum(axis=1).argmax())
        for order in (range(start, len(cleaned)), range(start, -1, -1)):
            for frame, person in _followed(cleaned, order, surest):
                positions[frame], confidence[frame] = (part[person] for part in cleaned[frame])
    return spread(positions, rows), spread(confidence, rows)


def _found_people(frame: np.ndarray) -> Landmarks:
    """Without those of whom no point was found: arrays have a place for them in every frame."""
    if not len(frame):
        return frame[..., :2], frame[..., 2]
    positions, confidence = found(frame[..., :2], frame[..., 2])
    there = confidence.any(axis=1)
    return positions[there], confidence[there]


def _followed(
    frames: Sequence[Landmarks], order: Iterable[int], person: int
) -> Iterable[tuple[int, int]]:
    """Which person it is in each frame that has any, by nearness to the frame before."""
    last: Landmarks | None = None
    for frame in order:
        positions, confidence = frames[frame]
        if not len(positions):
            continue
        if last is not None:
            here = zip(positions, confidence, strict=True)
            person = int(np.argmin([_distance(last, one) for one in here]))
        last = positions[person], confidence[person]
        yield frame, person


def _distance(one: Landmarks, other: Landmarks) -> float:
    """Between the points that both have; infinite where there is none."""
    both = (one[1] > 0) & (other[1] > 0)
    if not both.any():
        return float("inf")
    return float(np.linalg.norm(one[0][both] - other[0][both], axis=-1).mean())
