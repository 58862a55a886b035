"""What is signed when: lanes of glosses over the frames of a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slr_ray.documents.charts import WIDTH
from slr_ray.documents.svg import Canvas, Scale, Series, shorten, ticks

_LEFT = 70.0
_BAR = 18.0
_TEXT_ROWS = 3
_TEXT_ROW = 15.0
_LANE = _BAR + _TEXT_ROWS * _TEXT_ROW + 14
_LETTER = 7.0


@dataclass(frozen=True)
class Signed:
    """A gloss from one frame to another, the end not included."""

    gloss: str
    start: int
    end: int
    series: Series = 1
    spike: int | None = None
    """The frame in which it shows most, where a recogniser says so."""


def gloss_lanes(
    lanes: Mapping[str, Sequence[Signed]],
    num_frames: int,
    alt: str,
    entries: Sequence[tuple[str, Series]] = (),
) -> Canvas:
    """A bar for each gloss of a lane, in their order, named below it; a dot where it shows most.

    `entries` explain the colours.
    """
    canvas = Canvas(WIDTH, 0, alt)
    first = 8 + (canvas.legend(entries, _LEFT, 14) if entries else 0)
    x = Scale(0, num_frames, _LEFT, WIDTH - 24)
    bottom = first + _LANE * len(lanes)
    canvas.height = bottom + 34
    for value in ticks(0, num_frames, 8):
        canvas.line(x(value), first - 4, x(value), bottom, "grid")
        canvas.text(x(value), bottom + 14, f"{value:g}", "middle")
    canvas.text((_LEFT + WIDTH) / 2, bottom + 30, "frame", "middle")
    for row, (name, glosses) in enumerate(lanes.items()):
        top = first + _LANE * row
        canvas.text(_LEFT - 10, top + 13, name, "end", "ink")
        _lane(canvas, x, top, glosses)
    return canvas


def _lane(canvas: Canvas, x: Scale, top: float, glosses: Sequence[Signed]) -> None:
    """Names stand in rows by turns, each as long as its neighbours in the row leave room for."""
    middles = [x((one.start + one.end) / 2) for one in glosses]
    for place, (one, middle) in enumerate(zip(glosses, middles, strict=True)):
        left = x(one.start)
        title = f"{one.gloss}: frames {one.start} to {one.end - 1}"
        canvas.rect(left, top, max(1.5, x(one.end) - left - 1), _BAR, one.series, title)
        if one.spike is not None:
            seen = f"{one.gloss}: most probable at frame {one.spike}"
            canvas.circle(x(one.spike + 0.5), top + _BAR / 2, 3, "#fff", seen)
        others = (place - _TEXT_ROWS, place + _TEXT_ROWS)
        beside = [abs(middles[one] - middle) for one in others if 0 <= one < len(middles)]
        edges = [2 * (middle - 2), 2 * (canvas.width - 2 - middle)]
        letters = max(2, int(min([*beside, *edges]) / _LETTER))
        y = top + _BAR + 13 + _TEXT_ROW * (place % _TEXT_ROWS)
        canvas.text(middle, y, shorten(one.gloss, letters), "middle", "ink")
