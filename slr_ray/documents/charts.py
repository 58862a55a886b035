"""Plain charts: intervals, lines, grouped bars, histogram, dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from slr_ray.documents.svg import Canvas, Number, Scale, Series, shorten, tick_text, ticks

WIDTH = 720.0
_MAX_ENTRIES = 60
"""Of a legend of dots; more would be longer than the drawing."""


@dataclass(frozen=True)
class IntervalRow:
    label: str
    mean: Number
    half_width: Number | None
    values: Sequence[Number]
    series: int


@dataclass(frozen=True)
class Line:
    label: str
    """Entry in the legend; lines with the same label share one."""
    points: Sequence[tuple[Number, Number]]
    series: int
    faint: bool = False
    title: str = ""
    marks: bool = True
    """Whether each point gets a dot with its value, where there are few."""


@dataclass(frozen=True)
class BarSeries:
    label: str
    values: Sequence[Number | None]
    series: int


def intervals(rows: Sequence[IntervalRow], alt: str, zero: bool = False) -> Canvas:
    """One row an estimate: mean, 95 % interval and the seeds behind it, as shares."""
    left, height = 190.0, 34.0 * len(rows) + 40
    canvas = Canvas(WIDTH, height, alt)
    reach = [value for row in rows for value in row.values]
    reach += [row.mean + sign * (row.half_width or 0.0) for row in rows for sign in (-1, 1)]
    low, high = _span(reach + ([0.0] if zero else []))
    x = Scale(low, high, left, WIDTH - 30)
    bottom = height - 30
    _vertical_grid(canvas, x, 8, bottom, share=True)
    if zero:
        canvas.line(x(0), 8, x(0), bottom, "axis")
    for index, row in enumerate(rows):
        y = 26 + 34.0 * index
        canvas.text(left - 12, y + 4, shorten(row.label, 28), "end", "ink")
        for value in row.values:
            canvas.circle(x(value), y, 3, row.series, f"{100 * value:.1f}", 0.3)
        spread = ""
        if row.half_width is not None:
            spread = f" ± {100 * row.half_width:.1f}"
            start, end = x(row.mean - row.half_width), x(row.mean + row.half_width)
            canvas.line(start, y, end, y, f"k{row.series} thick")
            for at in (start, end):
                canvas.line(at, y - 5, at, y + 5, f"k{row.series} thick")
        title = f"{row.label}: {100 * row.mean:.1f}{spread}"
        canvas.circle(x(row.mean), y, 5.5, row.series, title)
    return canvas


def lines(
    drawn: Sequence[Line],
    alt: str,
    x_label: str,
    y_label: str,
    share: bool,
    whole_x: bool = False,
    width: Number = WIDTH,
    log_x: bool = False,
) -> Canvas:
    """Curves over a common axis; a single point is drawn as a dot. `log_x` takes x above 0."""
    finite = [
        replace(one, points=[at for at in one.points if all(map(math.isfinite, at))])
        for one in drawn
    ]
    finite = [one for one in finite if one.points]
    canvas = Canvas(width, 330, alt)
    entries = [(shorten(one.label, 30), one.series) for one in finite]
    top = 14 + canvas.legend(entries, 54, 14)
    bottom = 330.0 - 42
    low, high = _span([b for one in finite for _, b in one.points])
    y = Scale(low, high, bottom, top)
    x_values = [a for one in finite for a, _ in one.points] or [0.0, 1.0]
    if log_x:
        x_values = [math.log10(value) for value in x_values]
    span = (min(x_values), max(x_values))
    axis = Scale(*span, 66, width - 24)
    for value in ticks(low, high):
        canvas.line(60, y(value), width - 18, y(value), "grid")
        canvas.text(54, y(value) + 4, tick_text(value, share), "end")
    for value, told in _log_ticks(axis) if log_x else [(one, one) for one in ticks(*span, 8)]:
        if not whole_x or told == int(told):
            canvas.text(axis(value), bottom + 18, f"{told:,.6g}", "middle")
    canvas.text((60 + width) / 2, 326, x_label, "middle")
    canvas.text(14, (top + bottom) / 2, y_label, "middle", turn=-90)
    for one in sorted(finite, key=lambda item: not item.faint):
        at = [(axis(math.log10(a) if log_x else a), y(b)) for a, b in one.points]
        shade = " faint" if one.faint else ""
        if len(at) > 1:
            canvas.polyline(at, f"curve k{one.series}{shade}", one.title or one.label)
        if len(at) == 1 or (one.marks and len(at) <= 20 and not one.faint):
            for (px, py), (a, b) in zip(at, one.points, strict=True):
                title = f"{one.title or one.label}, {x_label} {a:g}: {tick_text(b, share)}"
                canvas.circle(px, py, 3.5, one.series, title, 0.3 if one.faint else 1.0)
    return canvas


def _log_ticks(axis: Scale) -> list[tuple[Number, Number]]:
    """Places on a logarithmic axis with round numbers of ten, and of two and five where few."""
    factors = (1, 2, 5) if axis.high - axis.low < 3 else (1,)
    numbers = [
        factor * 10.0**power
        for power in range(math.floor(axis.low), math.ceil(axis.high) + 1)
        for factor in factors
    ]
    places = [(math.log10(one), one) for one in numbers]
    return [(at, one) for at, one in places if axis.low <= at <= axis.high]


def grouped_bars(labels: Sequence[str], drawn: Sequence[BarSeries], alt: str, unit: str) -> Canvas:
    """Horizontal bars from 0, the series side by side under each label; `unit` "%" for shares."""
    share = unit == "%"
    thickness = 6.0 if len(drawn) > 1 else 13.0
    pitch = thickness * len(drawn) + 9
    longest = max((len(shorten(label, 34)) for label in labels), default=4)
    left = min(250.0, 24 + 6.6 * longest)
    canvas = Canvas(WIDTH, 0, alt)
    top = 10.0
    if len(drawn) > 1:
        top += canvas.legend([(one.label, one.series) for one in drawn], left, 14)
    bottom = top + pitch * len(labels)
    canvas.height = bottom + 30
    values = [value for one in drawn for value in one.values if value is not None]
    x = Scale(0, max([1e-9, *values]) * 1.02, left, WIDTH - 56)
    _vertical_grid(canvas, x, top - 4, bottom, share)
    for row, label in enumerate(labels):
        y = top + pitch * row
        canvas.text(left - 10, y + (pitch - 9) / 2 + 4, shorten(label, 34), "end", "ink")
        for index, one in enumerate(drawn):
            value = one.values[row]
            if value is not None and math.isfinite(value):
                told = f"{100 * value:.1f} %" if share else tick_text(value, share)
                title = f"{label}, {one.label}: {told}"
                at = y + thickness * index
                canvas.rect(left, at, x(value) - left, thickness - 1, one.series, title)
                if len(drawn) == 1:
                    canvas.text(x(value) + 5, at + thickness - 2.5, told)
    return canvas


def histogram(
    drawn: Sequence[BarSeries],
    alt: str,
    x_label: str,
    span: tuple[Number, Number] = (0, 1),
    width: Number = WIDTH,
) -> Canvas:
    """Counts in equal bins over `span`; each series stands in front of the one before it."""
    canvas = Canvas(width, 260, alt)
    if len(drawn) > 1:
        canvas.legend([(one.label, one.series) for one in drawn], 60, 14)
    num_bins = len(drawn[0].values)
    y = Scale(0, max([1, *(value or 0 for one in drawn for value in one.values)]), 218, 34)
    x = Scale(*span, 60, width - 24)
    edges = [span[0] + (span[1] - span[0]) * index / num_bins for index in range(num_bins + 1)]
    for value in ticks(0, y.high, 4):
        canvas.line(60, y(value), width - 24, y(value), "grid")
        canvas.text(54, y(value) + 4, f"{value:,.6g}", "end")
    for index, (start, end) in enumerate(pairwise(edges)):
        for one in drawn:
            value = one.values[index] or 0
            title = f"{start:.4g} to {end:.4g}: {value:,.6g} {one.label}"
            thickness = x(end) - x(start) - 2
            canvas.rect(x(start) + 1, y(value), thickness, 218 - y(value), one.series, title)
    for value in ticks(*span):
        canvas.text(x(value), 236, f"{value:.4g}", "middle")
    canvas.text((60 + width) / 2, 256, x_label, "middle")
    return canvas


@dataclass(frozen=True)
class Dot:
    x: Number
    y: Number
    label: str
    """Entry in the legend; dots with the same label share one."""
    series: Series
    title: str
    radius: Number = 3.2
    opacity: Number = 0.75


def dots(drawn: Sequence[Dot], alt: str, axes: tuple[str, str] | None, side: Number) -> Canvas:
    """Dots in a square; without `axes` only their distances mean anything."""
    canvas = Canvas(side, 0, alt)
    entries = list(dict.fromkeys((shorten(one.label, 30), one.series) for one in drawn))
    left, below = (66.0, 42.0) if axes else (24.0, 18.0)
    top, bottom = 14.0, side - left - 10
    # The legend stands below, as long as it may be: squares beside each other stay in line.
    canvas.height = bottom + below + 18
    canvas.height += canvas.legend(entries[:_MAX_ENTRIES], left, canvas.height)
    if len(entries) > _MAX_ENTRIES:
        canvas.text(left, canvas.height, f"and {len(entries) - _MAX_ENTRIES} more")
        canvas.height += 18
    x = Scale(*_span([one.x for one in drawn]), left, side - 24)
    y = Scale(*_span([one.y for one in drawn]), bottom, top)
    if axes:
        _vertical_grid(canvas, x, top, bottom, share=False)
        for value in ticks(y.low, y.high):
            canvas.line(left, y(value), side - 24, y(value), "grid")
            canvas.text(left - 8, y(value) + 4, tick_text(value, False), "end")
        canvas.text((left + side) / 2, bottom + 38, axes[0], "middle")
        canvas.text(14, (top + bottom) / 2, axes[1], "middle", turn=-90)
    for one in drawn:
        canvas.circle(x(one.x), y(one.y), one.radius, one.series, one.title, one.opacity)
    return canvas


def _vertical_grid(canvas: Canvas, x: Scale, top: Number, bottom: Number, share: bool) -> None:
    for value in ticks(x.low, x.high):
        canvas.line(x(value), top, x(value), bottom, "grid")
        canvas.text(x(value), bottom + 18, tick_text(value, share), "middle")


def _span(values: Sequence[Number]) -> tuple[Number, Number]:
    """The range of the values with a margin, never empty."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    margin = 0.06 * (high - low) or 0.05 * (abs(high) or 1.0)
    return low - margin, high + margin
