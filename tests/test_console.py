"""Texts that look like markup on the console, and that there is only one kind of console."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.panel import Panel
from rich.table import Table

import slr_ray
from slr_ray.console import literal_console
from slr_ray.progress import ProgressBar

_PACKAGE = Path(slr_ray.__file__).parent
ODD = "[/x] IX[a] [red]b[/red] :car:"


def test_texts_come_out_letter_by_letter() -> None:
    console = literal_console(file=io.StringIO(), width=80)
    table = Table(f"heading {ODD}", title=f"title {ODD}", caption=f"caption {ODD}")
    table.add_row(f"cell {ODD}")
    console.print(f"line {ODD}", style="bold")
    console.print(table, Panel(f"panel {ODD}"))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    for place in ("line", "title", "heading", "cell", "caption", "panel"):
        assert f"{place} {ODD}" in told, told


def test_a_bar_does_so_too() -> None:
    console = literal_console(file=io.StringIO(), width=120, force_terminal=True, no_color=True)
    with ProgressBar(console, "clips", 2) as bar:
        bar.advance(note=ODD)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"clips: {ODD}" in told


def test_no_module_makes_another_console() -> None:
    files = [one for one in _PACKAGE.rglob("*.py") if one.name != "console.py"]
    found = [one.name for one in files if re.search(r"\bConsole\(", one.read_text())]
    assert found == []
