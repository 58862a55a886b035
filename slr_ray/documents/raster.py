"""A drawing as pixels, for what shows no SVG: plain marks in the colours of a light page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from importlib.resources import files

from PIL import Image, ImageDraw, ImageFont

from slr_ray.documents.svg import Canvas

_SCALE = 2
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def as_picture(drawing: Canvas) -> Image.Image:
    """Lines, rectangles, circles and level text of a drawing; `ValueError` on any other mark."""
    colours = _colours()
    size = round(_SCALE * drawing.width), round(_SCALE * drawing.height)
    picture = Image.new("RGB", size, colours["page"])
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=12 * _SCALE)
    for mark in ET.fromstring(f"<svg>{''.join(drawing.parts)}</svg>"):
        at = {name: _SCALE * float(value) for name, value in mark.items() if _is_number(value)}
        kind = mark.get("class", "")
        fill = mark.get("fill") or colours[f"c{kind[1:]}" if re.fullmatch(r"f\d", kind) else "ink"]
        match mark.tag:
            case "line":
                ends = (at["x1"], at["y1"], at["x2"], at["y2"])
                draw.line(ends, colours["line" if kind == "grid" else "muted"], _SCALE)
            case "rect":
                right, bottom = at["x"] + at["width"], at["y"] + at["height"]
                draw.rectangle((at["x"], at["y"], right, bottom), fill)
            case "circle":
                draw.circle((at["cx"], at["cy"]), at["r"], fill)
            case "text":
                colour = colours[kind if kind == "ink" else "muted"]
                anchor = _ANCHORS[mark.get("text-anchor", "start")]
                draw.text((at["x"], at["y"]), mark.text or "", colour, font, anchor)
            case other:
                raise ValueError(f"a mark of kind {other} is not drawn as pixels")
    return picture


def _colours() -> dict[str, str]:
    """Of the light page, which the sheet names first."""
    sheet = files(__package__).joinpath("templates/drawing.css").read_text("utf-8")
    light = sheet[: sheet.index("@media")]
    return dict(re.findall(r"--(\w+):(#[0-9a-f]+)", light))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[\d.]+", text) is not None
