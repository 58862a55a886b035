"""The report's two-way charts: confusion matrix and parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slr_ray.documents.svg import Canvas, Scale, shorten, tick_text

MAX_NAMED = 40
"""Glosses that fit beside a confusion matrix with names and one tooltip a cell."""

_NUM_SHADES = 8


def confusion_chart(labels: Sequence[str], shares: Sequence[Sequence[float]], alt: str) -> str:
    """Row-normalised confusion matrix: rows the true gloss, columns the predicted one."""
    size = len(labels)
    named = size <= MAX_NAMED
    margin = min(150.0, 20 + 6.6 * max((len(label) for label in labels), default=1))
    left = margin if named else 30.0
    cell = min(34.0, (560.0 - left) / max(1, size))
    top = 10.0
    below = margin if named else 26.0
    canvas = Canvas(left + cell * size + 10, top + cell * size + below + 16, alt)
    canvas.rect(left, top, cell * size, cell * size, "f4", opacity=0.08)
    if named:
        _named_cells(canvas, labels, shares, left, top, cell)
    else:
        _shaded_cells(canvas, shares, left, top, cell)
    canvas.text(left + cell * size / 2, canvas.height - 6, "predicted gloss", "middle")
    canvas.text(11, top + cell * size / 2, "true gloss", "middle", turn=-90)
    return canvas.svg()


def _named_cells(
    canvas: Canvas,
    labels: Sequence[str],
    shares: Sequence[Sequence[float]],
    left: float,
    top: float,
    cell: float,
) -> None:
    for row, label in enumerate(labels):
        y = top + cell * row
        canvas.text(left - 6, y + cell / 2 + 4, shorten(label, 18), "end", "ink")
        x = left + cell * row + cell / 2 + 4
        below = top + cell * len(labels) + 10
        canvas.text(x, below, shorten(label, 18), "end", "ink", turn=-60)
        for column, predicted in enumerate(labels):
            share = shares[row][column]
            if not share > 0:
                continue
            title = f"{label} predicted as {predicted}: {tick_text(share, True)}"
            at = left + cell * column
            series = 3 if row == column else 1
            canvas.rect(
                at + 0.5, y + 0.5, cell - 1, cell - 1, f"f{series}", title, 0.1 + 0.9 * share
            )
            if cell >= 22 and share >= 0.05:
                shade = "on" if share > 0.5 else "ink"
                canvas.text(at + cell / 2, y + cell / 2 + 4, f"{100 * share:.0f}", "middle", shade)


def _shaded_cells(
    canvas: Canvas, shares: Sequence[Sequence[float]], left: float, top: float, cell: float
) -> None:
    # One path a shade: ten thousand rectangles with tooltips would outweigh the whole report.
    paths: dict[tuple[int, int], list[str]] = {}
    for row, line in enumerate(shares):
        for column, share in enumerate(line):
            if share >= 0.02:
                shade = min(_NUM_SHADES, 1 + int(share * _NUM_SHADES))
                at = f"M{left + cell * column:.1f} {top + cell * row:.1f}"
                drawn = f"{at}h{cell:.2f}v{cell:.2f}h-{cell:.2f}z"
                paths.setdefault((3 if row == column else 1, shade), []).append(drawn)
    for (series, shade), drawn_cells in sorted(paths.items()):
        opacity = 0.15 + 0.85 * shade / _NUM_SHADES
        canvas.path("".join(drawn_cells), f"cell f{series}", opacity)


@dataclass(frozen=True)
class ParallelRow:
    values: dict[str, Any]
    quality: float
    """From 0, the worst trial shown, to 1, the best."""
    title: str


def parallel_chart(names: Sequence[str], rows: Sequence[ParallelRow], metric: str, alt: str) -> str:
    """One vertical axis a parameter, the metric last; one line a trial, the best on top.

    A trial without a conditional parameter passes below that axis.
    """
    axes = [*names, metric]
    pitch = max(110.0, 660.0 / max(1, len(axes) - 1))
    canvas = Canvas(60 + pitch * (len(axes) - 1) + 60, 330, alt)
    top, bottom = 56.0, 270.0
    positions = [_axis(name, rows, bottom, top) for name in axes]
    for row in sorted(rows, key=lambda one: one.quality):
        at = [
            (60 + pitch * index, place(row.values.get(name)))
            for index, (name, (place, _)) in enumerate(zip(axes, positions, strict=True))
        ]
        cls = "thick k3" if row.quality > 0.9 else "thin k3" if row.quality > 0.5 else "thin k4"
        canvas.polyline(at, f"{cls} curve" if row.quality > 0.9 else cls, row.title)
    for index, (name, (_, marks)) in enumerate(zip(axes, positions, strict=True)):
        x = 60 + pitch * index
        canvas.line(x, top, x, bottom, "axis")
        short = name.rsplit(".", 2)[-2:] if "." in name else [name]
        # Names stand on two heights: neighbours would run into each other.
        for line, word in enumerate(short):
            canvas.text(x, 20 + 14 * line, shorten(word, int(pitch / 6.6)), "middle", "ink")
        for y, text in marks:
            canvas.text(x + 6, y + 4, shorten(text, 13), cls="halo")
    canvas.text(60, 318, "trials without a conditional parameter pass below its axis")
    return canvas.svg()


def _axis(
    name: str, rows: Sequence[ParallelRow], bottom: float, top: float
) -> tuple[Any, list[tuple[float, str]]]:
    """How the axis places a value, and its marks."""
    values = [row.values[name] for row in rows if row.values.get(name) is not None]
    absent = bottom + 22
    if values and all(is_number(value) for value in values):
        low, high = float(min(values)), float(max(values))
        log = low > 0 and high / low > 50
        scale = Scale(*(math.log(low), math.log(high)) if log else (low, high), bottom, top)

        def place_number(value: Any) -> float:
            if value is None:
                return absent
            return scale(math.log(value) if log else float(value))

        ends = [(bottom, f"{low:.4g}")] + ([(top, f"{high:.4g}")] if high > low else [])
        return place_number, ends if high > low else [(place_number(low), f"{low:.4g}")]
    choices = sorted({str(value) for value in values})
    scale = Scale(0, max(1, len(choices) - 1), bottom, top)
    order = {choice: index for index, choice in enumerate(choices)}

    def place_choice(value: Any) -> float:
        return absent if value is None else scale(order[str(value)])

    return place_choice, [(scale(index), choice) for index, choice in enumerate(choices)]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
