"""A sweep's report: the table, what it says, its curves, labels, holes, and how it was made."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from slr_ray.documents.charts import Line, lines
from slr_ray.documents.document import (
    Block,
    Bullets,
    Code,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.documents.pages import write_document
from slr_ray.documents.terminal import terminal_table
from slr_ray.durations import duration
from slr_ray.reporting.spending import reused_text
from slr_ray.sweeps.claims import claims, sentences
from slr_ray.sweeps.differences import differences, differences_table, other_figures_table
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.printed import labels_table, places_table, printed_tables
from slr_ray.sweeps.results import Place, SweepResult, as_csv

_MOST_FIGURES = 24
_SHOWN_HOLES = 20
_TERMINAL_FIGURES = 5
"""Columns of figures side by side; a terminal is narrow."""


def write_page(result: SweepResult, folder: str | None = None) -> list[str]:
    """Write report.html, report.md and figures/ into `folder`, by default the sweep's own, which
    gets cells.csv, too; returns where the reports lie.
    """
    result.folder.write_cells(as_csv(result))
    return write_document(document(result), folder or result.folder.location)


def document(result: SweepResult) -> Document:
    record, table = result.record, result.table
    state = f"finished {record.finished}" if record.finished else "not finished"
    subtitle = (
        f"{', '.join(one.title for one in record.blocks)} · seeds {record.seeds}"
        + (f" · {record.num_folds} folds by signer" if record.num_folds else "")
        + f" · created {record.created}, {state}"
    )
    titles = [one.title for one in record.blocks]
    sections = [
        _result_section(result),
        Section("curves", "Curves", list(_curves(result))),
        Section("places", "Place by place", [places_table(result, one) for one in titles]),
        Section("labels", "Labels", [labels_table(result)]),
        _paper_section(result),
        _made_section(result),
    ]
    return Document(table.title, subtitle, [one for one in sections if one.blocks])


def print_result(result: SweepResult, console: Console) -> None:
    """The table, what it says, and what is missing, for the terminal."""
    for block in result.record.blocks:
        for table in printed_tables(result, block.title, _TERMINAL_FIGURES):
            console.print(terminal_table(table, len(table.rows)))
    found = differences(result)
    for sentence in (*sentences(result, found), *claims(result, found)):
        console.print(Text(f"• {sentence}"))
    holes = list(result.holes.items())
    for name, why in holes[:_SHOWN_HOLES]:
        console.print(Text(f"hole: {name}: {why}", style="yellow"), soft_wrap=True)
    if len(holes) > _SHOWN_HOLES:
        console.print(f"{len(holes) - _SHOWN_HOLES} more holes; the report names them")


def _result_section(result: SweepResult) -> Section:
    found = differences(result)
    blocks: list[Block] = []
    if result.holes:
        blocks.append(
            Paragraph(
                f"{len(result.holes)} of {len(result.record.cells)} cells have no result; each is "
                "named below with its reason.",
                "warning",
            )
        )
    told = sentences(result, found)
    if told:
        blocks.append(Bullets(told))
    said = claims(result, found)
    if said:
        blocks += [Paragraph("What the paper says, and what is found here:"), Bullets(said)]
    for block in result.record.blocks:
        blocks += printed_tables(result, block.title)
    tables = (differences_table(result, found), other_figures_table(result, found))
    blocks += [one for one in tables if one is not None]
    if result.holes:
        rows: list[list[Value]] = [[name, why] for name, why in result.holes.items()]
        columns = [Column("cell without a result"), Column("why")]
        blocks.append(Table(columns, rows, "Holes.", markdown_rows=200))
    blocks.append(
        Paragraph(
            "Intervals over seeds (Student's t) are about label draw, weights and order of clips; "
            "those over signers (bootstrap) about who happens to be in the corpus. Epoch and round "
            "are chosen on validation; each cell met the test set once.",
            "note",
        )
    )
    return Section("result", "The table", blocks)


def _curves(result: SweepResult) -> Iterator[Figure]:
    """The first figure along every numeric axis, then what measurements give as curves."""
    table = result.table
    numeric = [path for path, axis in table.grid.items() if axis.is_numeric]
    drawn = 0
    for block, path in itertools.product(result.record.blocks, numeric):
        for group in _along(result, block.title, path):
            if drawn < _MOST_FIGURES:
                yield _curve(result, block.title, path, group, f"curve_{drawn}")
            drawn += 1
    for block in result.record.blocks:
        for name in _curve_names(result, block.title):
            yield _measured_curve(result, block.title, name, f"curve_{drawn}")
            drawn += 1


def _along(result: SweepResult, block: str, path: str) -> Iterator[list[Place]]:
    """The places of a corpus in groups that differ in one axis and the setting only."""
    others = [one for one in result.table.grid if one != path]
    for values in itertools.product(*(result.table.grid[one].values for one in others)):
        at = dict(zip(others, values, strict=True))
        group = [
            one
            for one in result.of_block(block)
            if all(one.point.get(other, value) == value for other, value in at.items())
        ]
        if group:
            yield group


def _curve(result: SweepResult, block: str, path: str, group: Sequence[Place], name: str) -> Figure:
    table, figure = result.table, result.table.figures[0]
    values = table.grid[path].values
    drawn = []
    for series, setting in enumerate(table.settings):
        points: list[tuple[float, float]] = []
        for place in group:
            found = place.interval(figure)
            if place.setting == setting.name and found is not None:
                # A setting that does not go along this axis is the same all along it.
                at = [place.point[path]] if path in place.point else [min(values), max(values)]
                points += [(float(one), found.mean) for one in at]
        drawn.append(Line(setting.title, sorted(points), series))
    shared = {
        other: value
        for other, value in group[0].point.items()
        if other != path and all(one.point.get(other, value) == value for one in group)
    }
    where = ", ".join([block, *result.named(shared)])
    kind = FIGURES[figure]
    alt = f"Test {kind.title} over {table.title_of(path)}: {where}"
    drawing = lines(drawn, alt, table.title_of(path), kind.title, kind.kind == "percent")
    return Figure(name, drawing, f"{alt}. Means over seeds.")


def _curve_names(result: SweepResult, block: str) -> list[str]:
    found = [
        name
        for place in result.of_block(block)
        for one in place.seeds.values()
        for name, points in one.curves.items()
        if points
    ]
    return list(dict.fromkeys(found))


def _measured_curve(result: SweepResult, block: str, curve: str, name: str) -> Figure:
    drawn = []
    for series, place in enumerate(result.of_block(block)):
        seeds = [dict(one.curves.get(curve, [])) for one in place.seeds.values()]
        at = [x for x in (seeds[0] if seeds else {}) if all(x in one for one in seeds)]
        points = [(x, float(np.mean([one[x] for one in seeds]))) for x in at]
        drawn.append(Line(result.titled(place), points, series, marks=len(at) < 10))
    kind = FIGURES[curve]
    is_share = kind.is_share
    x_label, y_label = (kind.title, "accuracy") if is_share else ("gradient steps", kind.title)
    alt = f"{y_label.capitalize()} over {x_label}: {block}"
    # Collapse comes within a few steps.
    drawing = lines(drawn, alt, x_label, y_label, is_share, log_x=not is_share)
    return Figure(name, drawing, f"{alt}. Means over seeds.")


def _paper_section(result: SweepResult) -> Section:
    table = result.table
    blocks: list[Block] = []
    if table.same:
        blocks += [Paragraph("The same as in the paper:"), Bullets(list(table.same))]
    if table.different:
        blocks += [Paragraph("Different from the paper:"), Bullets(list(table.different))]
    if table.published is not None:
        blocks.append(Paragraph(f"Published figures: {table.published.source}.", "note"))
    return Section("paper", "What is as in the paper, and what is not", blocks)


def _made_section(result: SweepResult) -> Section:
    record = result.record
    cells = result.cells.values()
    rounds = [one for cell in cells if cell.trained is not None for one in cell.trained.rounds]
    # Cells tell what they take alone; rounds that one found trained are counted where they were.
    reused = [one for one in rounds if one.reused]
    training_s = sum(one.training_s for one in cells) - sum(one.training_s for one in reused)
    num_steps = sum(one.num_steps for one in cells) - sum(one.num_steps for one in reused)
    keys = {one.key for one in record.cells if one.key is not None}
    rows: list[list[Value]] = [
        ["cells of the table", f"{len(record.cells):,}"],
        ["different ones, measured once each", f"{len(keys):,}"],
        ["training, added up", duration(training_s)],
        ["gradient steps, added up", f"{num_steps:,}"],
        ["wall time", duration(record.wall_s)],
    ]
    if reused:
        rows.append(["rounds reused", reused_text(rounds)])
    for block in record.blocks:
        text = (
            f"{block.num_clips:,} clips, {block.num_glosses} glosses, {block.num_signers} signers"
        )
        rows.append([block.title, f"{text}; fingerprint {block.fingerprint[:12]}"])
    rows += [[name, str(value)] for name, value in record.environment.items()]
    blocks: list[Block] = [
        Code(shlex.join(record.command)),
        Table([Column("what"), Column("value")], rows, markdown_rows=100),
    ]
    return Section("made", "How it was made", blocks)
