"""A document as one HTML page that needs nothing beside it; `templates/` has its looks."""

from __future__ import annotations

import math

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from slr_ray.documents.document import Block, Document, Value, format_value
from slr_ray.documents.svg import printable


def to_html(document: Document) -> str:
    """The whole page; every text from the records is escaped."""
    return _PAGES.get_template("page.html.j2").render(document=document)


def _block(block: Block) -> Markup:
    macros = _PAGES.get_template("blocks.html.j2").module
    return Markup(getattr(macros, type(block).__name__.lower())(block))


def _printable(value: object) -> object:
    return value if isinstance(value, Markup) else printable(str(value))


def _breakable(title: str) -> Markup:
    """Long dotted names may break after their dots and underscores, not within words."""
    # As `str`, since `Markup` would escape what it is given to put in.
    text = str(escape(printable(title)))
    return Markup(text.replace(".", ".<wbr>").replace("_", "_<wbr>"))


def _is_finite(value: Value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


_PAGES = Environment(
    loader=PackageLoader("slr_ray.documents"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters |= {"html": _block, "breakable": _breakable, "shown": format_value}
_PAGES.tests["finite"] = _is_finite
