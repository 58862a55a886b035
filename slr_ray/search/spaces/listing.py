"""The shipped spaces as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
        found = ", ".join(_searched(space.tree))
        count = len(parameters(space.tree))
        rows.append([name, count, space.search.num_trials, found, space.title])
    return Table(columns, rows, "Shipped search spaces; a branch counts with all its parameters.")


def _searched(node: Any) -> Iterator[str]:
    """Paths, a branch as one."""
    if isinstance(node, Parameter | Branch):
        yield node.path
    elif isinstance(node, dict):
        for one in node.values():
            yield from _searched(one)
