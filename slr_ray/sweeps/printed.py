"""The table as a paper prints it, with the paper's figures beside ours, and its label counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from slr_ray.documents.document import Column, Table, Value, format_value
from slr_ray.records.measured import Interval
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.results import Place, SweepResult
from slr_ray.sweeps.table import FIGURE, SETTING


def printed_tables(result: SweepResult, block: str, most_figures: int | None = None) -> list[Table]:
    """One table where figures are columns, or several with at most so many, else one a figure."""
    table = result.table
    figures = table.figures
    places = result.of_block(block)
    if table.columns == FIGURE:
        parts = np.array_split(figures, -(-len(figures) // (most_figures or len(figures))))
        return [_table(result, block, places, part.tolist()) for part in parts]
    return [_table(result, block, places, (figure,)) for figure in figures]


def _table(
    result: SweepResult, block: str, places: Sequence[Place], figures: Sequence[str]
) -> Table:
    table = result.table
    rows_along = [path for path in (*table.grid, SETTING) if path != table.columns]
    heads = _heads(result, figures)
    rows: dict[tuple[str, ...], list[Value]] = {}
    for place in places:
        first = tuple(_named(result, place, path) for path in rows_along)
        cells = rows.setdefault(first, [None] * len(heads))
        for index, head in enumerate(heads):
            if table.columns == FIGURE:
                cells[index] = _cell(result, place, figures[index])
            elif _named(result, place, table.columns) in (head, _EVERY):
                cells[index] = _cell(result, place, figures[0])
    columns = [Column(_title(result, path)) for path in rows_along]
    columns += [Column(head) for head in heads]
    what = "Test set" if table.columns == FIGURE else f"Test {FIGURES[figures[0]].title}"
    across = "" if table.columns == FIGURE else f" by {_title(result, table.columns)}"
    caption = f"{block}: {what}{across}, mean ± 95 % over seeds; shares in %."
    if table.published is not None and table.published.figures:
        caption += f" In brackets: {table.published.source}."
    body: list[list[Value]] = [[*first, *cells] for first, cells in rows.items()]
    return Table(columns, body, caption, markdown_rows=200)


_EVERY = "–"
"""Of an axis that a setting does not go along."""


def _heads(result: SweepResult, figures: Sequence[str]) -> list[str]:
    table = result.table
    if table.columns == FIGURE:
        return [FIGURES[one].title for one in figures]
    if table.columns == SETTING:
        return [one.title for one in table.settings]
    axis = table.grid[table.columns]
    return [axis.named(one) for one in axis.values]


def _title(result: SweepResult, path: str) -> str:
    return "setting" if path == SETTING else result.table.title_of(path)


def _named(result: SweepResult, place: Place, path: str) -> str:
    if path == SETTING:
        return {one.name: one.title for one in result.table.settings}[place.setting]
    if path not in place.point:
        return _EVERY
    return result.table.grid[path].named(place.point[path])


def _cell(result: SweepResult, place: Place, figure: str) -> str:
    found = place.interval(figure)
    if found is None:
        text = "hole" if place.missing else "–"
    else:
        text = figure_text(found, figure)
        if place.missing:
            text += f" ({found.num_seeds} of {len(result.record.seeds)} seeds)"
    published = [
        one.value
        for one in (result.table.published.figures if result.table.published else ())
        if one.figure == figure and place.matches(one.at)
    ]
    told = ", ".join(format_value(one, FIGURES[figure].kind) for one in published)
    return f"{text} [{told}]" if told else text


def figure_text(found: Interval, figure: str) -> str:
    """Mean and half-width, as the figure's kind is written."""
    kind = FIGURES[figure].kind
    if found.half_width is None:
        return format_value(found.mean, kind)
    if kind == "number" and math.isfinite(found.mean + found.half_width):
        places = _decimals(found.mean, found.half_width)
        return f"{found.mean:.{places}f} ± {found.half_width:.{places}f}"
    return f"{format_value(found.mean, kind)} ± {format_value(found.half_width, kind)}"


def _decimals(mean: float, half_width: float) -> int:
    """So many that two digits of the half-width show, and no more than four of the mean."""
    most = 3 - _power_of_ten(mean)
    return max(0, min(most, 1 - _power_of_ten(half_width)) if half_width else most)


def _power_of_ten(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def places_table(result: SweepResult, block: str) -> Table:
    """Every place with its first figure, over seeds and over people, and what it cost."""
    figure = result.table.figures[0]
    rows: list[list[Value]] = []
    for place in result.of_block(block):
        found, people = place.interval(figure), place.over_signers(figure)
        cells = [cell for one in place.seeds.values() for cell in one.cells]
        if found is None:
            continue
        rows.append(
            [
                result.titled(place),
                figure_text(found, figure),
                None if people is None else f"{100 * people.low:.1f} to {100 * people.high:.1f}",
                found.num_seeds,
                round(float(np.mean([one.num_steps for one in cells]))),
                float(np.mean([one.training_s for one in cells])),
            ]
        )
    columns = [Column("place"), Column(FIGURES[figure].title), Column("95 % over signers")]
    columns += [Column("seeds", "count"), Column("steps", "count"), Column("training", "seconds")]
    caption = (
        f"{block}: {FIGURES[figure].title}, mean ± 95 % over seeds, and over signers by bootstrap; "
        "steps and time are means of a training."
    )
    return Table(columns, rows, caption, sortable=True, markdown_rows=200)


def labels_table(result: SweepResult) -> Table:
    """Labels that each place of the grid needed: those that train, and those that choose."""
    several = len(result.record.blocks) > 1
    titles = {one.name: one.title for one in result.table.settings}
    found: Labels = {}
    for place in result.places:
        cells = [cell for one in place.seeds.values() for cell in one.cells]
        if not cells:
            continue
        labelled, training, validation, test = (
            float(np.mean([getattr(one, name) for one in cells]))
            for name in ("num_labelled", "num_training", "num_validation", "num_test")
        )
        where = ", ".join(result.named(place.point)) or "everywhere"
        told = (
            f"{labelled:,.0f} clips, {100 * labelled / training:.1f} %",
            f"{validation:,.0f}",
            f"{test:,.0f}",
            f"{max(one.num_glosses for one in cells)}",
        )
        at = (place.block, where) if several else (where,)
        found.setdefault(at, {}).setdefault(told, []).append(titles[place.setting])
    places = ["corpus", "where"] if several else ["where"]
    labels = ["labelled, of the training clips", "validation labels", "test clips", "glosses"]
    caption = "Labels, mean over seeds and folds. Validation chooses epoch and round: labels, too."
    return by_labels(found, places, labels, caption)


Labels = dict[tuple[str, ...], dict[tuple[str, ...], list[str]]]
"""Of each place, what its labels are, and the titles of those settings that have these."""


def by_labels(found: Labels, places: Sequence[str], labels: Sequence[str], caption: str) -> Table:
    """A row for each place, or several that say of which settings they are where these differ."""
    differ = any(len(told) > 1 for told in found.values())
    rows: list[list[Value]] = []
    for place, told in found.items():
        for counts, settings in told.items():
            whose = "; ".join(dict.fromkeys(settings)) if len(told) > 1 else "all"
            rows.append([*place, *([whose] if differ else []), *counts])
    heads = [*places, *(["settings"] if differ else []), *labels]
    return Table([Column(one) for one in heads], rows, caption, markdown_rows=200)
