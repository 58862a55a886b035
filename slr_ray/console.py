"""The terminal as all commands print to it: texts come out letter by letter."""

from __future__ import annotations

from functools import partial

from rich.console import Console

literal_console = partial(Console, markup=False, emoji=False)
"""A console on which `[a]` is no markup and `:car:` no picture: paths, clips and glosses have both.

Also in the cells and titles of tables. What is ours to emphasise says so with `style` or a `Text`.
"""
