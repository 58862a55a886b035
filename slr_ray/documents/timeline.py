"""Who worked on what, and when: one lane a worker, bars over a common time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slr_ray.documents.charts import WIDTH
from slr_ray.documents.svg import Canvas, Scale, shorten, ticks
from slr_ray.durations import duration

_LANE = 26.0
_LEFT = 150.0


@dataclass(frozen=True)
class Span:
    """A piece of work."""

    lane: str
    start_s: float
    end_s: float
    label: str
    series: int
    title: str


def timeline(spans: Sequence[Span], entries: Sequence[tuple[str, int]], alt: str) -> Canvas:
    """Bars from start to end in their worker's lane; `entries` explain the colours."""
    lanes = list(dict.fromkeys(one.lane for one in spans))
    canvas = Canvas(WIDTH, 0, alt)
    top = 14 + canvas.legend(entries, _LEFT, 14)
    bottom = top + _LANE * len(lanes)
    canvas.height = bottom + 30
    x = Scale(0.0, max([1.0, *(one.end_s for one in spans)]), _LEFT, WIDTH - 24)
    for value in ticks(x.low, x.high, 6):
        canvas.line(x(value), top - 4, x(value), bottom, "grid")
        canvas.text(x(value), bottom + 18, duration(value), "middle")
    for row, lane in enumerate(lanes):
        canvas.text(_LEFT - 10, top + _LANE * row + 16, shorten(lane, 20), "end", "ink")
    for one in spans:
        left, width = x(one.start_s), max(1.5, x(one.end_s) - x(one.start_s))
        y = top + _LANE * lanes.index(one.lane)
        canvas.rect(left, y + 2, width - 0.5, _LANE - 5, f"f{one.series}", one.title)
        if width > 8 * len(one.label):
            canvas.text(left + width / 2, y + 16, one.label, "middle", "on")
    return canvas
