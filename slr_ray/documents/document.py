"""What a report consists of, before it becomes HTML or Markdown. All texts are plain text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from slr_ray.durations import duration

Value = str | int | float | None
Kind = Literal["text", "code", "count", "percent", "points", "number", "seconds"]


@dataclass(frozen=True)
class Paragraph:
    text: str
    tone: Literal["plain", "headline", "note", "warning"] = "plain"
    mood: str = ""
    """For a headline: the verdict's outcome."""


@dataclass(frozen=True)
class Bullets:
    items: list[str]


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Column:
    title: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    rows: list[list[Value]]
    caption: str = ""
    sortable: bool = False
    markdown_rows: int = 25
    """Rows that Markdown shows, which can't scroll; HTML has all."""


@dataclass(frozen=True)
class Figure:
    name: str
    """File name without suffix, for Markdown."""
    svg: str
    alt: str
    caption: str = ""


Block = Paragraph | Bullets | Code | Table | Figure


@dataclass(frozen=True)
class Section:
    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    title: str
    subtitle: str
    sections: list[Section]


def format_value(value: Value, kind: Kind) -> str:
    """A cell as text; an en dash for nothing and for what is not finite."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–"
    if kind == "percent":
        return f"{100 * value:.1f}"
    if kind == "points":
        return f"{100 * value:+.1f}".replace("-", "−")
    if kind == "seconds":
        return duration(value)
    if isinstance(value, int) or kind == "count":
        return f"{value:,.0f}" if kind == "count" else str(value)
    return f"{value:.4g}"
