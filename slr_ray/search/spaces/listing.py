"""The shipped spaces as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from slr_ray.documents.document import Column, Table, Value
from slr_ray.search.spaces.space import Branch, Parameter, parameters
from slr_ray.search.spaces.space_file import load_space, shipped_spaces


def spaces_table() -> Table:
    """Name, what it is about, what is searched, and how much of it."""
    columns = [Column("space"), Column("parameters", "count"), Column("trials", "count")]
    columns += [Column("searched"), Column("about")]
    rows: list[list[Value]] = []
    for name in shipped_spaces():
        space = load_space(name, {})
        found = "; ".join(_by_section(_searched(space.tree)))
        count = len(parameters(space.tree))
        rows.append([name, count, space.search.num_trials, found, space.title])
    return Table(columns, rows, "Shipped search spaces; a branch counts with all its parameters.")


def print_spaces(console: Console) -> None:
    """Each space by itself: beside other columns a terminal is too narrow for names of settings."""
    table = spaces_table()
    console.print(Text(table.caption, style="italic"))
    for name, num_parameters, num_trials, searched, about in table.rows:
        counts = f"{num_parameters} parameters, {num_trials} trials"
        console.print(Text.assemble("\n", (f"{name}", "bold"), f": {about} ({counts})"))
        console.print(Padding(Text(f"{searched}"), (0, 0, 0, 4)))


def _by_section(paths: Iterable[str]) -> Iterator[str]:
    """The names below each section, which stand beside each other: whole paths are too wide."""
    for section, found in groupby(paths, lambda path: path.rpartition(".")[0]):
        names = ", ".join(path.rpartition(".")[2] for path in found)
        yield f"{section}: {names}" if section else names


def _searched(node: Any) -> Iterator[str]:
    """Paths, a branch as one."""
    if isinstance(node, Parameter | Branch):
        yield node.path
    elif isinstance(node, dict):
        for one in node.values():
            yield from _searched(one)
