"""Two-way charts: heat map, confusion matrix and parallel coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slr_ray.documents.axes import axis_of
from slr_ray.documents.svg import Canvas, Number, shorten, tick_text

MAX_NAMED = 40
"""Glosses that fit beside a confusion matrix with names."""

_MAX_CELLS = 1600
"""With a tooltip each: ten thousand of them would outweigh the whole report."""
_NUM_SHADES = 8


@dataclass(frozen=True)
class Cell:
    share: Number
    """How dark it is, from 0 to 1."""
    title: str
    text: str
    series: int = 3


def confusion_chart(labels: Sequence[str], shares: Sequence[Sequence[float]], alt: str) -> Canvas:
    """Row-normalised confusion matrix: rows the true gloss, columns the predicted one."""
    cells = {
        (row, column): Cell(
            share,
            f"{labels[row]} predicted as {labels[column]}: {tick_text(share, True)}",
            f"{100 * share:.0f}" if share >= 0.05 else "",
            3 if row == column else 1,
        )
        for row, line in enumerate(shares)
        for column, share in enumerate(line)
        if share > 0
    }
    size = min(34.0, 460 / max(1, len(labels)))
    names = labels if len(labels) <= MAX_NAMED else [""] * len(labels)
    return heat_map(names, names, cells, alt, ("true gloss", "predicted gloss"), size)


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Mapping[tuple[int, int], Cell],
    alt: str,
    axes: tuple[str, str],
    size: Number,
) -> Canvas:
    """A grid of cells by row and column, of `size` pixels; tooltips and texts where they fit."""
    left, below = (
        min(150.0, 30 + 6.6 * max((len(name) for name in names), default=0))
        for names in (rows, columns)
    )
    top = 10.0
    width, height = size * len(columns), size * len(rows)
    canvas = Canvas(left + width + 10, top + height + below + 16, alt)
    canvas.rect(left, top, width, height, 4, opacity=0.08)
    for row, name in enumerate(rows):
        canvas.text(left - 6, top + size * (row + 0.5) + 4, shorten(name, 18), "end", "ink")
    for column, name in enumerate(columns):
        x = left + size * (column + 0.5) + 4
        canvas.text(x, top + height + 10, shorten(name, 18), "end", "ink", turn=-60)
    canvas.text(11, top + height / 2, axes[0], "middle", turn=-90)
    canvas.text(left + width / 2, canvas.height - 6, axes[1], "middle")
    # One path a shade where there are too many cells.
    paths: dict[tuple[int, int], list[str]] = {}
    for (row, column), cell in cells.items():
        x, y = left + size * column, top + size * row
        if len(cells) > _MAX_CELLS:
            shade = min(_NUM_SHADES, 1 + int(cell.share * _NUM_SHADES))
            drawn = f"M{x:.1f} {y:.1f}h{size:.2f}v{size:.2f}h-{size:.2f}z"
            paths.setdefault((cell.series, shade), []).append(drawn)
            continue
        opacity = 0.1 + 0.9 * cell.share
        canvas.rect(x + 0.5, y + 0.5, size - 1, size - 1, cell.series, cell.title, opacity)
        if size >= 22:
            shown = "on" if cell.share > 0.5 else "ink"
            canvas.text(x + size / 2, y + size / 2 + 4, cell.text, "middle", shown)
    for (series, shade), path in sorted(paths.items()):
        canvas.path("".join(path), series, 0.15 + 0.85 * shade / _NUM_SHADES)
    return canvas


@dataclass(frozen=True)
class ParallelRow:
    values: dict[str, Any]
    quality: float
    """From 0, the worst trial shown, to 1, the best."""
    title: str


def parallel_chart(
    names: Sequence[str], rows: Sequence[ParallelRow], metric: str, alt: str
) -> Canvas:
    """One vertical axis a parameter, the metric last; one line a trial, the best on top.

    A trial without a conditional parameter passes below that axis.
    """
    axes = [*names, metric]
    pitch = max(110.0, 660.0 / max(1, len(axes) - 1))
    canvas = Canvas(60 + pitch * (len(axes) - 1) + 60, 330, alt)
    top, bottom = 56.0, 270.0
    positions = [
        axis_of([row.values.get(name) for row in rows], bottom, top, bottom + 22) for name in axes
    ]
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
    return canvas
