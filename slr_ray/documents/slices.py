"""A slice through a search: one parameter against what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slr_ray.documents.axes import axis_of
from slr_ray.documents.svg import Canvas, Number, Scale, shorten, tick_text, ticks

WIDTH = 300.0
"""Three stand in a row."""


@dataclass(frozen=True)
class SlicePoint:
    value: Any
    """Of the parameter: a number, or a choice."""
    y: Number
    label: str
    """Entry in the legend; points with the same label share one."""
    series: int
    title: str


def slice_chart(name: str, points: Sequence[SlicePoint], y_label: str, share: bool) -> Canvas:
    """Dots over an axis of numbers or of choices, which the drawing's text names."""
    canvas = Canvas(WIDTH, 250, f"{y_label} by {name}")
    left, right, bottom = 70.0, WIDTH - 24, 190.0
    top = 14 + canvas.legend([(one.label, one.series) for one in points], left, 14)
    low, high = min(one.y for one in points), max(one.y for one in points)
    margin = 0.06 * (high - low) or 0.05
    y = Scale(low - margin, high + margin, bottom, top)
    for at in ticks(y.low, y.high, 4):
        canvas.line(left - 8, y(at), right + 8, y(at), "grid")
        canvas.text(left - 12, y(at) + 4, tick_text(at, share), "end")
    place, marks = axis_of([one.value for one in points], left, right, left)
    # Choices may be many and long: they stand on two heights.
    for index, (x, text) in enumerate(marks):
        height = bottom + 18 + 14 * (index % 2 if len(marks) > 2 else 0)
        told = shorten(text, 16)
        # Whole within the drawing.
        x = min(x, WIDTH - 3.4 * len(told))
        canvas.text(x, height, told, "middle")
    canvas.text((left + right) / 2, 244, shorten(name, 48), "middle", "ink")
    canvas.text(14, (top + bottom) / 2, shorten(y_label, 30), "middle", turn=-90)
    for one in points:
        canvas.circle(place(one.value), y(one.y), 4, one.series, one.title, 0.7)
    return canvas
