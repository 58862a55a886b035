"""A document's table in the terminal."""

from __future__ import annotations

from rich import box
from rich.table import Table as TerminalTable
from rich.text import Text

from slr_ray.documents.document import Table, format_value


def terminal_table(table: Table, most: int) -> TerminalTable:
    """The first `most` rows under the caption; all texts are printed literally."""
    drawn = TerminalTable(box=box.SIMPLE, title=Text(table.caption), title_justify="left")
    drawn.caption_justify = "left"
    for column in table.columns:
        justify = "right" if column.is_numeric else "left"
        drawn.add_column(Text(column.title), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in table.rows[:most]:
        cells = (format_value(value, column.kind) for column, value in table.cells(row))
        drawn.add_row(*(Text(cell) for cell in cells))
    if len(table.rows) > most:
        drawn.caption = f"{len(table.rows) - most} more"
    return drawn
