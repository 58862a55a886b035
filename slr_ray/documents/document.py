"""What a report consists of, before it becomes HTML or Markdown. All texts are plain text."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from slr_ray.documents.svg import Canvas, as_file
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

    @property
    def is_numeric(self) -> bool:
        return self.kind not in ("text", "code")


@dataclass(frozen=True)
class Table:
    columns: list[Column]
    rows: list[list[Value]]
    caption: str = ""
    sortable: bool = False
    markdown_rows: int = 25
    """Rows that Markdown shows, which can't scroll; HTML has all."""

    def cells(self, row: Sequence[Value]) -> Iterator[tuple[Column, Value]]:
        return zip(self.columns, row, strict=True)


@dataclass(frozen=True)
class Figure:
    name: str
    """Of the file, without suffix, where the document is more than one page."""
    drawing: Canvas
    caption: str = ""

    @property
    def alt(self) -> str:
        return self.drawing.alt

    @property
    def file(self) -> str:
        return f"{self.name}.svg"

    @property
    def content(self) -> bytes:
        return as_file(self.drawing)

    def save(self, path: str | Path) -> None:
        """Write the drawing as an SVG file."""
        Path(path).write_bytes(self.content)

    def _repr_svg_(self) -> str:
        """What notebooks show."""
        return self.content.decode()


@dataclass(frozen=True)
class Picture:
    """A picture of pixels."""

    file: str
    """Its name with a suffix that says what it is: png or gif."""
    content: bytes
    alt: str
    caption: str = ""

    @property
    def data_uri(self) -> str:
        kind = self.file.rsplit(".", 1)[1]
        return f"data:image/{kind};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Beside:
    """Figures or pictures next to each other where the page is wide enough."""

    blocks: Sequence[Figure | Picture]


Block = Paragraph | Bullets | Code | Table | Figure | Picture | Beside


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

    def figures(self) -> list[Figure]:
        return [one for one in self._blocks() if isinstance(one, Figure)]

    def files(self) -> dict[str, bytes]:
        """Every figure and picture by the name of its file."""
        found = [one for one in self._blocks() if isinstance(one, Figure | Picture)]
        return {one.file: one.content for one in found}

    def _blocks(self) -> list[Block]:
        blocks = [block for section in self.sections for block in section.blocks]
        return blocks + [
            one for block in blocks if isinstance(block, Beside) for one in block.blocks
        ]


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
