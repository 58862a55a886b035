"""A document as one HTML page that needs nothing beside it."""

from __future__ import annotations

import math

from slr_ray.documents.document import (
    Block,
    Bullets,
    Code,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
    format_value,
)
from slr_ray.documents.page import SCRIPT, STYLE
from slr_ray.documents.svg import escape

# Even a name that slipped through unescaped could load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

_NUMERIC = {"count", "percent", "points", "number", "seconds"}


def to_html(document: Document) -> str:
    """The whole page; every text from the records is escaped."""
    links = "".join(
        f'<a href="#{escape(one.anchor)}">{escape(one.title)}</a>' for one in document.sections
    )
    body = "".join(_section(one) for one in document.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        f"<title>{escape(document.title)}</title><style>{STYLE}</style></head>\n<body>"
        f"<header><h1>{escape(document.title)}</h1><p>{escape(document.subtitle)}</p></header>"
        f'<nav aria-label="Sections">{links}</nav>\n<main>{body}</main>'
        f"<footer></footer><script>{SCRIPT}</script></body></html>\n"
    )


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    anchor = escape(section.anchor)
    return f'<section id="{anchor}"><h2>{escape(section.title)}</h2>\n{blocks}</section>\n'


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        classes = " ".join(one for one in (block.tone, block.mood) if one and one != "plain")
        role = ' role="alert"' if block.tone == "warning" else ""
        named = f' class="{escape(classes)}"' if classes else ""
        return f"<p{named}{role}>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Code):
        # `escape` would join the lines of a command.
        lines = "\n".join(escape(line) for line in block.text.splitlines())
        return f"<pre><code>{lines}</code></pre>"
    if isinstance(block, Figure):
        caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
        return f'<figure><div class="scroll" tabindex="0">{block.svg}</div>{caption}</figure>'
    return _table(block)


def _table(table: Table) -> str:
    heads = []
    for column in table.columns:
        numeric = ' class="n"' if column.kind in _NUMERIC else ""
        # Long dotted names may break after their dots and underscores, not within words.
        title = escape(column.title).replace(".", ".<wbr>").replace("_", "_<wbr>")
        inner = f'<button type="button">{title}</button>' if table.sortable else title
        heads.append(f'<th scope="col"{numeric}>{inner}</th>')
    rows = "\n".join(
        "<tr>"
        + "".join(
            _cell(value, column.kind, table.sortable)
            for value, column in zip(row, table.columns, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    caption = f'<p class="caption">{escape(table.caption)}</p>' if table.caption else ""
    sortable = ' class="sortable"' if table.sortable else ""
    tall = " tall" if table.sortable else ""
    return (
        f'{caption}<div class="scroll{tall}" tabindex="0"><table{sortable}>'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(value: Value, kind: str, sortable: bool) -> str:
    text = escape(format_value(value, kind))  # type: ignore[arg-type]
    if kind in _NUMERIC and not isinstance(value, str):
        finite = value is not None and math.isfinite(value)
        raw = f' data-v="{value:.8g}"' if sortable and finite else ""
        return f'<td class="n"{raw}>{text}</td>'
    long = ' class="long"' if len(text) > 40 else ""
    shown = f"<code>{text}</code>" if kind == "code" and value is not None else text
    return f"<td{long}>{shown}</td>"
