"""A document as Markdown with its figures as SVG files in `figures/`."""

from __future__ import annotations

import re

from slr_ray.documents.document import (
    Beside,
    Block,
    Bullets,
    Code,
    Document,
    Paragraph,
    Table,
    format_value,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")


def to_markdown(document: Document) -> str:
    """The whole report; texts from the records can't become markup."""
    parts = [f"# {_text(document.title)}", _text(document.subtitle)]
    for section in document.sections:
        parts.append(f"## {_text(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def figure_files(document: Document) -> dict[str, bytes]:
    """Each figure's file by its name relative to the Markdown file."""
    return {f"figures/{name}": content for name, content in document.files().items()}


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", text)).strip()


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        text = _text(block.text)
        return {
            "plain": text,
            "note": f"_{text}_",
            "headline": f"**{text}**",
            "warning": f"> **{text}**",
        }[block.tone]
    if isinstance(block, Bullets):
        return "\n".join(f"- {_text(item)}" for item in block.items)
    if isinstance(block, Code):
        # Indented, so that no run of backticks in a value can end the block.
        return "\n".join(f"    {line}" for line in block.text.splitlines())
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Beside):
        return "\n\n".join(_block(one) for one in block.blocks)
    caption = f"\n\n_{_text(block.caption)}_" if block.caption else ""
    return f"![{_text(block.alt)}](figures/{block.file}){caption}"


def _table(table: Table) -> str:
    head = "| " + " | ".join(_text(column.title) for column in table.columns) + " |"
    rule = (
        "|" + "|".join(" ---: " if column.is_numeric else " --- " for column in table.columns) + "|"
    )
    rows = [
        "| "
        + " | ".join(_text(format_value(value, column.kind)) for column, value in table.cells(row))
        + " |"
        for row in table.rows[: table.markdown_rows]
    ]
    lines = [head, rule, *rows]
    left_out = len(table.rows) - table.markdown_rows
    notes = [_text(table.caption)] if table.caption else []
    if left_out > 0:
        notes.append(f"{left_out} more rows stand in report.html.")
    caption = f"_{' '.join(notes)}_\n\n" if notes else ""
    return caption + "\n".join(lines)
