"""What replayed rules chose, and the tables that tell it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Replayed:
    """What a rule would have chosen in one round of one seed."""

    rule: str
    round: int
    num_pool: int
    per_gloss: Int[np.ndarray, " glosses"]
    edge: float | None
    """The lowest confidence among the chosen, calibrated and refined."""
    precision: float | None
    """An audit: share of chosen clips whose hidden label equals the pseudo-label."""
    num_unknown: int
    """An audit, too: chosen clips of glosses that the corpus does not have."""

    @property
    def num_clips(self) -> int:
        return int(self.per_gloss.sum())


def _grouped(found: Sequence[Replayed]) -> dict[tuple[str, int], list[Replayed]]:
    """By rule and round, over seeds and folds."""
    groups: dict[tuple[str, int], list[Replayed]] = {}
    for one in found:
        groups.setdefault((one.rule, one.round), []).append(one)
    order = list(dict.fromkeys(one.rule for one in found))
    return dict(sorted(groups.items(), key=lambda item: (order.index(item[0][0]), item[0][1])))


def _mean(values: Sequence[float | int | None], form: str) -> str:
    known = [one for one in values if one is not None]
    return format(float(np.mean(known)), form) if known else "–"


def print_rules(found: Sequence[Replayed], num_glosses: int, console: Console) -> None:
    """Each rule on a line of its own, to be copied whole, and its rounds below in columns."""
    heads = ["round", "clips", "of pool", "glosses", "fewest", "most", "edge", "audit: precision"]
    is_open = any(one.num_unknown for one in found)
    if is_open:
        heads.append("audit: of unknown glosses")
    rows: dict[str, list[list[str]]] = {}
    for (rule, number), group in _grouped(found).items():
        counts = [one.per_gloss for one in group]
        unknown = [_mean([one.num_unknown for one in group], ".0f")] if is_open else []
        rows.setdefault(rule, []).append(
            [
                str(number),
                _mean([one.num_clips for one in group], ".0f"),
                _mean([one.num_clips / max(one.num_pool, 1) for one in group], ".1%"),
                f"{_mean([int((one > 0).sum()) for one in counts], '.0f')} / {num_glosses}",
                _mean([int(one.min()) for one in counts], ".0f"),
                _mean([int(one.max()) for one in counts], ".0f"),
                _mean([one.edge for one in group], ".3f"),
                _mean([one.precision for one in group], ".3f"),
                *unknown,
            ]
        )
    every = [cells for own in rows.values() for cells in own]
    widths = [
        max(map(len, (*head.split(), *(cells[index] for cells in every))))
        for index, head in enumerate(heads)
    ]

    def columns(own: Sequence[Sequence[str]], *, show_header: bool = False) -> Table:
        table = Table(box=None, show_header=show_header)
        for head, width in zip(heads, widths, strict=True):
            table.add_column(head, justify="right", vertical="bottom", width=width)
        for cells in own:
            table.add_row(*cells)
        return table

    console.print("Clips that a rule would have chosen, means over trainings", style="italic")
    console.print(columns([], show_header=True))
    for rule, own in rows.items():
        console.print(Text(f"--rule {shlex.quote(rule)}"), soft_wrap=True)
        console.print(columns(own))


def gloss_table(found: Sequence[Replayed], names: Sequence[str]) -> Table:
    """Clips of each gloss by rule and round, means over trainings."""
    groups = _grouped(found)
    table = Table(box=box.SIMPLE, title="Clips by gloss", title_justify="left")
    table.add_column("gloss")
    for rule, number in groups:
        table.add_column(Text(f"{rule.split()[0]}, round {number}"), justify="right")
    for index, name in enumerate(names):
        means = (
            _mean([int(one.per_gloss[index]) for one in group], ".0f") for group in groups.values()
        )
        table.add_row(Text(name), *means)
    return table
