"""Drawing in SVG: a canvas, a linear scale and round tick marks.

Hand-made rather than by a plotting library: the colours follow the reader's light or dark page,
every mark can carry a tooltip, and a report with twenty figures stays small and is quick to build.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

Number = int | float
Series = int | str
"""A colour of `templates/drawing.css` by number, or one of its own, such as #aa3377."""

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")


def printable(text: str) -> str:
    """Text that HTML and SVG may hold: control characters but the new line become spaces."""
    return _UNPRINTABLE.sub(" ", text)


def _escape(text: str) -> str:
    """Text safe between tags and in quoted attributes."""
    return html.escape(printable(text), quote=True)


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


@dataclass(frozen=True)
class Scale:
    """Maps `low..high` linearly to pixels `start..end`."""

    low: Number
    high: Number
    start: Number
    end: Number

    def __call__(self, value: Number) -> Number:
        span = self.high - self.low
        share = 0.5 if span == 0 else (value - self.low) / span
        return self.start + share * (self.end - self.start)


def ticks(low: Number, high: Number, count: int = 5) -> list[Number]:
    """About `count` multiples of 1, 2 or 5 times a power of ten within `low..high`."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def tick_text(value: Number, share: bool) -> str:
    return f"{100 * value:.4g} %" if share else f"{value:.4g}"


@dataclass
class Canvas:
    """Collects marks; coordinates in pixels of a `width` x `height` view box, origin top left."""

    width: Number
    height: Number
    alt: str
    parts: list[str] = field(default_factory=list)

    def line(self, x1: Number, y1: Number, x2: Number, y2: Number, cls: str) -> None:
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{cls}"/>'
        )

    def rect(
        self,
        x: Number,
        y: Number,
        width: Number,
        height: Number,
        series: Series,
        title: str = "",
        opacity: Number = 1.0,
    ) -> None:
        self._mark(
            "rect",
            f'x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" '
            f'height="{max(0.0, height):.1f}" {_fill(series, opacity)}',
            title,
        )

    def circle(
        self,
        x: Number,
        y: Number,
        radius: Number,
        series: Series,
        title: str = "",
        opacity: Number = 1.0,
    ) -> None:
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
        self._mark("circle", f"{place} {_fill(series, opacity)}", title)

    def polyline(self, points: Iterable[tuple[Number, Number]], cls: str, title: str = "") -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._mark("polyline", f'points="{path}" class="{cls}"', title)

    def path(self, path: str, series: Series, opacity: Number) -> None:
        self.parts.append(f'<path d="{path}" {_fill(series, opacity)}/>')

    def text(
        self,
        x: Number,
        y: Number,
        text: str,
        anchor: str = "start",
        cls: str = "",
        turn: Number = 0,
    ) -> None:
        if not text:
            return
        turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        named = f' class="{cls}"' if cls else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}{turned}>'
            f"{_escape(text)}</text>"
        )

    def legend(self, entries: Sequence[tuple[str, Series]], x: Number, y: Number) -> Number:
        """Colour keys in rows from `x`, each once; returns the height used."""
        left, top = x, y
        for label, series in dict.fromkeys(entries):
            width = 22 + 6.6 * len(label)
            if left + width > self.width and left > x:
                left, top = x, top + 18
            self.rect(left, top - 9, 10, 10, series)
            self.text(left + 15, top, label, cls="ink")
            left += width + 8
        return top - y + 18

    def _mark(self, tag: str, attributes: str, title: str) -> None:
        if title:
            self.parts.append(f"<{tag} {attributes}><title>{_escape(title)}</title></{tag}>")
        else:
            self.parts.append(f"<{tag} {attributes}/>")

    def svg(self) -> str:
        # Wide drawings scroll instead of shrinking until nothing can be read.
        least = self.width if self.width > 760 else min(520, self.width)
        style = f"min-width:{least:.0f}px;max-width:{self.width:.0f}px"
        return (
            f'<svg style="{style}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" '
            f'aria-label="{_escape(self.alt)}">{"".join(self.parts)}</svg>'
        )


def side_by_side(title: str, drawings: Sequence[Canvas]) -> Canvas:
    """Drawings in a row as one, each under its own alternative text."""
    row = Canvas(
        sum(one.width for one in drawings), 44 + max(one.height for one in drawings), title
    )
    row.text(row.width / 2, 16, title, "middle", "ink")
    left: Number = 0
    for one in drawings:
        row.text(left + one.width / 2, 36, one.alt, "middle")
        row.parts.append(f'<g transform="translate({left:.0f} 44)">{"".join(one.parts)}</g>')
        left += one.width
    return row


def as_file(drawing: Canvas) -> bytes:
    """A drawing as an SVG file of its own, with its colours."""
    style = files(__package__).joinpath("templates/drawing.css").read_text("utf-8")
    opened = drawing.svg().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return opened.replace(">", f"><style>{style}</style>", 1).encode()


def _fill(series: Series, opacity: Number) -> str:
    colour = f'class="f{series}"' if isinstance(series, int) else f'fill="{series}"'
    return colour if opacity >= 1 else f'{colour} fill-opacity="{max(0.0, opacity):.2f}"'
