"""What a table is about: differences between its settings, paired, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slr_ray.documents.document import Column, Table, Value
from slr_ray.evaluation.people import difference_spans
from slr_ray.evaluation.statistics import PairedDifference, holm, paired_difference
from slr_ray.records.measured import Span
from slr_ray.reporting.wording import p_text, points
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.results import Place, SweepResult
from slr_ray.sweeps.table import SETTING, Compared


@dataclass(frozen=True)
class Difference:
    """One figure at one place of a comparison."""

    compared: Compared
    figure: str
    of: Place
    against: Place
    found: PairedDifference
    corrected_p: float | None = None

    @property
    def outcome(self) -> int:
        """1 where it is higher after Holm's correction, -1 lower, 0 where that is open."""
        if self.corrected_p is None or self.corrected_p >= 0.05:
            return 0
        return 1 if self.found.mean > 0 else -1


def differences(result: SweepResult) -> list[Difference]:
    """Every comparison at every place; each figure's are a family with a correction of its own."""
    found: list[Difference] = []
    for compared in result.table.compare:
        for place in result.places:
            other = _other(result, compared, place) if place.matches(compared.of) else None
            if other is None:
                continue
            for figure in result.table.figures_of(compared):
                paired = paired_difference(place.values(figure), other.values(figure))
                if paired is not None:
                    found.append(Difference(compared, figure, place, other, paired))
    families = dict.fromkeys(one.figure for one in found)
    return [
        one
        for figure in families
        for one in _corrected([two for two in found if two.figure == figure])
    ]


def _corrected(family: Sequence[Difference]) -> list[Difference]:
    tested = [one.found.p_value for one in family if one.found.p_value is not None]
    corrected = iter(holm(tested))
    return [
        one if one.found.p_value is None else replace(one, corrected_p=next(corrected))
        for one in family
    ]


def _other(result: SweepResult, compared: Compared, place: Place) -> Place | None:
    """What a place is compared with: the same but for what the comparison names."""
    setting = compared.against.get(SETTING, place.setting)
    point = {**place.point, **compared.against}
    return result.find(place.block, setting, point)


def _over_signers(place: Place, other: Place, figure: str) -> Span | None:
    common = sorted(place.seeds.keys() & other.seeds.keys())
    ours, theirs = (one.counted(figure, common) for one in (place, other))
    if ours is None or theirs is None or ours[1][0].signers != theirs[1][0].signers:
        return None
    return difference_spans(ours[1], theirs[1]).get(ours[0])


def differences_table(result: SweepResult, found: Sequence[Difference]) -> Table | None:
    """Of the table's first figure, over seeds and over people."""
    figure = result.table.figures[0]
    several = len(result.record.blocks) > 1
    rows: list[list[Value]] = []
    for one in found:
        if one.figure != figure:
            continue
        low, high = one.found.low, one.found.high
        people = _over_signers(one.of, one.against, figure)
        rows.append(
            [
                *([one.of.block] if several else []),
                named(result, one),
                amount(one.found.mean, figure),
                None if low is None or high is None else _from_to(low, high, figure),
                None if people is None else _from_to(people.low, people.high, figure),
                None if one.corrected_p is None else p_text(one.corrected_p).removeprefix("= "),
                one.found.num_seeds,
            ]
        )
    columns = [Column("corpus")] if several else []
    columns += [Column("difference"), Column(FIGURES[figure].title), Column("95 % over seeds")]
    columns += [Column("over signers"), Column("p (Holm)"), Column("seeds", "count")]
    caption = (
        f"Differences in {FIGURES[figure].title}{_unit(figure)}, paired by seed; p-values are "
        f"corrected over all {len(rows)} rows."
    )
    return Table(columns, rows, caption, sortable=True, markdown_rows=100) if rows else None


def other_figures_table(result: SweepResult, found: Sequence[Difference]) -> Table | None:
    """The same of all other figures, a column each."""
    first = result.table.figures[0]
    figures = [one for one in dict.fromkeys(two.figure for two in found) if one != first]
    several = len(result.record.blocks) > 1
    rows: dict[tuple[str, ...], list[Value]] = {}
    for one in found:
        if one.figure in figures:
            where = (*([one.of.block] if several else []), named(result, one))
            cells = rows.setdefault(where, [None] * len(figures))
            half = one.found.half_width
            text = amount(one.found.mean, one.figure)
            text += "" if half is None else f" ± {amount(half, one.figure).lstrip('+')}"
            cells[figures.index(one.figure)] = text + ("*" if one.outcome else "")
    columns = [Column("corpus")] if several else []
    columns += [Column("difference"), *(Column(FIGURES[one].title) for one in figures)]
    caption = (
        "Differences in the other figures, shares in percentage points, mean ± 95 % over seeds; "
        "* where 0 is ruled out after a correction over the column."
    )
    body: list[list[Value]] = [[*where, *cells] for where, cells in rows.items()]
    return Table(columns, body, caption, sortable=True, markdown_rows=100) if rows else None


def amount(value: float, figure: str) -> str:
    """A difference with its sign; of shares in percentage points."""
    kind = FIGURES[figure].kind
    if kind == "percent":
        return points(value)
    text = f"{value:+.1f} s" if kind == "seconds" else f"{value:+.3g}"
    return text.replace("-", "−")


def _from_to(low: float, high: float, figure: str) -> str:
    return f"{amount(low, figure)} to {amount(high, figure)}"


def _unit(figure: str) -> str:
    return ", percentage points" if FIGURES[figure].kind == "percent" else ""


def named(result: SweepResult, one: Difference) -> str:
    """What is compared with what, and where in the grid."""
    titles = {own.name: own.title for own in result.table.settings}
    sides = []
    for place, selector in ((one.of, one.compared.of), (one.against, one.compared.against)):
        words = [titles[place.setting]] if SETTING in selector else []
        at = {path: value for path, value in place.point.items() if path in selector}
        sides.append(", ".join([*words, *result.named(at)]))
    where = placed(result, one)
    return " − ".join(sides) + (f": {where}" if where else "")


def placed(result: SweepResult, one: Difference) -> str:
    """Where in the grid a difference is, as far as the comparison does not say it."""
    titles = {own.name: own.title for own in result.table.settings}
    common = {path: value for path, value in one.of.point.items() if path not in one.compared.of}
    where = result.named(common)
    if SETTING not in one.compared.of and len(result.table.settings) > 1:
        where = [titles[one.of.setting], *where]
    return ", ".join(where)
