"""What a table is about: differences between its settings, paired, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slr_ray.documents.document import Column, Table, Value
from slr_ray.evaluation.people import POOLED_METRICS, difference_spans
from slr_ray.evaluation.statistics import PairedDifference, holm, paired_difference
from slr_ray.records.measured import Span
from slr_ray.reporting.wording import p_text, points
from slr_ray.sweeps.measurements.measurements import FIGURES
from slr_ray.sweeps.results import Place, SweepResult
from slr_ray.sweeps.table import SETTING, Compared


@dataclass(frozen=True)
class Difference:
    """One place of a comparison."""

    compared: Compared
    of: Place
    against: Place
    found: PairedDifference
    over_signers: Span | None
    corrected_p: float | None = None

    @property
    def outcome(self) -> int:
        """1 where it is higher after Holm's correction, -1 lower, 0 where that is open."""
        if self.corrected_p is None or self.corrected_p >= 0.05:
            return 0
        return 1 if self.found.mean > 0 else -1


def differences(result: SweepResult) -> list[Difference]:
    """Every comparison at every place, of the table's first figure; one correction over all."""
    figure = result.table.figures[0]
    found: list[Difference] = []
    for compared in result.table.compare:
        for place in result.places:
            other = _other(result, compared, place) if place.matches(compared.of) else None
            if other is None:
                continue
            paired = paired_difference(place.values(figure), other.values(figure))
            if paired is not None:
                people = _over_signers(place, other, figure)
                found.append(Difference(compared, place, other, paired, people))
    tested = [one for one in found if one.found.p_value is not None]
    corrected = iter(holm([one.found.p_value or 0.0 for one in tested]))
    return [
        one if one.found.p_value is None else replace(one, corrected_p=next(corrected))
        for one in found
    ]


def _other(result: SweepResult, compared: Compared, place: Place) -> Place | None:
    """What a place is compared with: the same but for what the comparison names."""
    setting = compared.against.get(SETTING, place.setting)
    point = {**place.point, **compared.against}
    return result.find(place.block, setting, point)


def _over_signers(place: Place, other: Place, figure: str) -> Span | None:
    if figure not in POOLED_METRICS:
        return None
    common = sorted(place.seeds.keys() & other.seeds.keys())
    ours, theirs = ([one.seeds[seed].counts for seed in common] for one in (place, other))
    counts = [one for one in (*ours, *theirs) if one is not None]
    if not common or len(counts) < 2 * len(common) or len({one.signers for one in counts}) > 1:
        return None
    return difference_spans(counts[: len(common)], counts[len(common) :])[figure]


def differences_table(result: SweepResult, found: Sequence[Difference]) -> Table:
    figure = FIGURES[result.table.figures[0]]
    several = len(result.record.blocks) > 1
    rows: list[list[Value]] = []
    for one in found:
        low, high = one.found.low, one.found.high
        people = one.over_signers
        rows.append(
            [
                *([one.of.block] if several else []),
                named(result, one),
                one.found.mean,
                None if low is None or high is None else f"{points(low)} to {points(high)}",
                None if people is None else f"{points(people.low)} to {points(people.high)}",
                None if one.corrected_p is None else p_text(one.corrected_p).removeprefix("= "),
                one.found.num_seeds,
                one.compared.published,
            ]
        )
    columns = [Column("corpus")] if several else []
    columns += [Column("difference"), Column("points", "points"), Column("95 % over seeds")]
    columns += [Column("over signers"), Column("p (Holm)"), Column("seeds", "count")]
    columns.append(Column("the paper says"))
    caption = (
        f"Differences in {figure.title}, percentage points, paired by seed; p-values are corrected "
        f"over all {len(found)} rows."
    )
    return Table(columns, rows, caption, sortable=True, markdown_rows=100)


def named(result: SweepResult, one: Difference) -> str:
    """What is compared with what, and where in the grid."""
    titles = {own.name: own.title for own in result.table.settings}
    sides = []
    for place, selector in ((one.of, one.compared.of), (one.against, one.compared.against)):
        words = [titles[place.setting]] if SETTING in selector else []
        at = {path: value for path, value in place.point.items() if path in selector}
        sides.append(", ".join([*words, *result.named(at)]))
    common = {path: value for path, value in one.of.point.items() if path not in one.compared.of}
    where = result.named(common)
    if SETTING not in one.compared.of and len(result.table.settings) > 1:
        where = [titles[one.of.setting], *where]
    return " − ".join(sides) + (f": {', '.join(where)}" if where else "")


def sentences(result: SweepResult, found: Sequence[Difference]) -> list[str]:
    """Each comparison in one line, over all its places."""
    told = []
    for compared in result.table.compare:
        for block in result.record.blocks:
            own = [one for one in found if one.compared is compared and one.of.block == block.title]
            if own:
                told.append(_sentence(result, own, block.title))
    return told


def _sentence(result: SweepResult, own: Sequence[Difference], block: str) -> str:
    first = own[0]
    pair = named(result, first).split(":")[0]
    higher, lower = (sum(one.outcome == sign for one in own) for sign in (1, -1))
    mean = sum(one.found.mean for one in own) / len(own)
    most = max(own, key=lambda one: one.found.mean)
    text = f"{pair}: {points(mean)} points"
    if len(own) > 1:
        text += f" in the mean of {len(own)} places, at most {points(most.found.mean)}"
    if any(one.corrected_p is not None for one in own):
        text += f"; after Holm's correction higher at {higher}, lower at {lower}"
    if len(result.record.blocks) > 1:
        text = f"{block}: {text}"
    said = first.compared.published
    return f"{text}. The paper: {said}." if said else f"{text}."
