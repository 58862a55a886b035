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

NUM_SERIES = 8

Number = int | float

# Readable on white and on near-black, and apart for the common kinds of colour blindness.
_LIGHT = ("#8a6d3b", "#d9730d", "#0f9d8a", "#2563eb", "#8b8d98", "#b42372", "#6d4bd8", "#4d7c0f")
_DARK = ("#c9a86a", "#f59e4c", "#3cc9b4", "#7aa7ff", "#a3a6b1", "#f178b6", "#a993ff", "#a3d15a")


def _variables(colours: Sequence[str], ink: str, muted: str, line: str, page: str) -> str:
    series = "".join(f"--c{index}:{colour};" for index, colour in enumerate(colours))
    return f"{series}--ink:{ink};--muted:{muted};--line:{line};--page:{page};"


PALETTE = (
    f":root{{{_variables(_LIGHT, '#1c2024', '#60646c', '#e0e1e6', '#fff')}}}"
    "@media (prefers-color-scheme:dark){"
    f":root{{{_variables(_DARK, '#edeef0', '#b0b4ba', '#363a3f', '#111214')}}}}}"
)

MARKS = (
    "svg text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:var(--muted)}"
    "svg text.ink{fill:var(--ink)}svg text.on{fill:#fff}"
    "svg text.halo{paint-order:stroke;stroke:var(--page);stroke-width:4px}"
    "svg .grid{stroke:var(--line);stroke-width:1}svg .axis{stroke:var(--muted);stroke-width:1}"
    "svg .curve{fill:none;stroke-width:2;stroke-linejoin:round}"
    "svg .faint{opacity:.3;stroke-width:1.2}"
    "svg .thin{fill:none;stroke-width:1;opacity:.22}svg .thick{fill:none;stroke-width:2.2}"
    "svg .cell{stroke:none}"
    + "".join(
        f"svg .f{index}{{fill:var(--c{index})}}svg .k{index}{{stroke:var(--c{index})}}"
        for index in range(NUM_SERIES)
    )
)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")


def escape(text: object) -> str:
    """Text safe between tags and in quoted attributes; control characters become spaces."""
    return html.escape(_UNPRINTABLE.sub(" ", str(text)), quote=True)


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
        cls: str,
        title: str = "",
        opacity: Number = 1.0,
    ) -> None:
        shade = "" if opacity >= 1 else f' fill-opacity="{max(0.0, opacity):.2f}"'
        self._mark(
            "rect",
            f'x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" '
            f'height="{max(0.0, height):.1f}" class="{cls}"{shade}',
            title,
        )

    def circle(self, x: Number, y: Number, radius: Number, cls: str, title: str = "") -> None:
        self._mark("circle", f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" class="{cls}"', title)

    def polyline(self, points: Iterable[tuple[Number, Number]], cls: str, title: str = "") -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._mark("polyline", f'points="{path}" class="{cls}"', title)

    def path(self, path: str, cls: str, opacity: Number) -> None:
        self.parts.append(f'<path d="{path}" class="{cls}" fill-opacity="{opacity:.2f}"/>')

    def text(
        self,
        x: Number,
        y: Number,
        text: str,
        anchor: str = "start",
        cls: str = "",
        turn: Number = 0,
    ) -> None:
        turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        named = f' class="{cls}"' if cls else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}{turned}>'
            f"{escape(text)}</text>"
        )

    def legend(self, entries: Sequence[tuple[str, int]], x: Number, y: Number) -> Number:
        """Colour keys in rows from `x`; returns the height used."""
        left, top = x, y
        for label, series in entries:
            width = 22 + 6.6 * len(label)
            if left + width > self.width and left > x:
                left, top = x, top + 18
            self.rect(left, top - 9, 10, 10, f"f{series}")
            self.text(left + 15, top, label, cls="ink")
            left += width + 8
        return top - y + 18

    def _mark(self, tag: str, attributes: str, title: str) -> None:
        if title:
            self.parts.append(f"<{tag} {attributes}><title>{escape(title)}</title></{tag}>")
        else:
            self.parts.append(f"<{tag} {attributes}/>")

    def svg(self) -> str:
        # Wide drawings scroll instead of shrinking until nothing can be read.
        least = self.width if self.width > 760 else min(520, self.width)
        style = f"min-width:{least:.0f}px;max-width:{self.width:.0f}px"
        return (
            f'<svg style="{style}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" '
            f'aria-label="{escape(self.alt)}">{"".join(self.parts)}</svg>'
        )


def as_file(svg: str) -> bytes:
    """An inline drawing as an SVG file of its own, with its colours."""
    style = f"<style>{PALETTE}{MARKS}</style>"
    opened = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return opened.replace(">", f">{style}", 1).encode("utf-8", "replace")
