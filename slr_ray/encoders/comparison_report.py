"""The comparison of self-supervised objectives: a table for the terminal, and a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.table import Table as RichTable

from slr_ray.documents.charts import IntervalRow, Line, intervals, lines
from slr_ray.documents.document import (
    Block,
    Column,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
    Value,
)
from slr_ray.encoders.records import ObjectiveRecord
from slr_ray.evaluation.statistics import PairedDifference, holm, interval, paired_difference
from slr_ray.objectives.objectives import TITLES
from slr_ray.records.measured import Interval

_NAMES = TITLES | {"fresh": "fresh encoder", "poses": "normalised poses"}
_SHARES = {
    "linear accuracy": lambda one: one.linear and one.linear.accuracy,
    "linear balanced": lambda one: one.linear and one.linear.balanced_accuracy,
    "k-NN accuracy": lambda one: one.knn.accuracy,
    "k-NN balanced": lambda one: one.knn.balanced_accuracy,
}
Kind = tuple[str, str]
"""Objective and augmentation."""


def objectives_table(records: Sequence[ObjectiveRecord]) -> RichTable:
    """Mean and 95 % interval over seeds on the test set."""
    table = RichTable("objective", "views", *_SHARES, "seeds", title="test set, %")
    for kind, own in by_kind(records).items():
        cells = [_interval_text(_over_seeds(own, name)) for name in _SHARES]
        table.add_row(named(kind[0]), kind[1], *cells, str(len(own)))
    return table


def objectives_document(
    records: Sequence[ObjectiveRecord], failed: Mapping[str, str], facts: Mapping[str, Value]
) -> Document:
    """What the comparison found, as a report: differences first, then every number."""
    kinds = by_kind(records)
    rows = []
    for index, (kind, own) in enumerate(kinds.items()):
        found = _over_seeds(own, "linear accuracy")
        if found is not None:
            values = [one.linear.accuracy for one in own if one.linear is not None]
            rows.append(IntervalRow(_label(kind), found.mean, found.half_width, values, index % 6))
    blocks: list[Block] = [
        Paragraph(f"{name} failed: {reason}", "warning") for name, reason in failed.items()
    ]
    alt = "Linear accuracy on the test set by objective and augmentation"
    blocks += [
        Figure("objectives", intervals(rows, alt), f"{alt}: mean, 95 % interval, seeds."),
        _numbers(kinds),
    ]
    differences = _differences(kinds)
    if differences is not None:
        blocks.append(differences)
    blocks += _spread(kinds)
    blocks.append(
        Paragraph(
            "Intervals are over seeds: initial weights, order of clips, views and label draw. The "
            "test signers are the same for all, so what another choice of them would change is not "
            "in the intervals.",
            "note",
        )
    )
    settings = Table(
        [Column("what"), Column("value")], [[name, value] for name, value in facts.items()]
    )
    sections = [
        Section("result", "Result", blocks),
        Section("settings", "Settings", [settings]),
    ]
    return Document("Self-supervised objectives compared", str(facts.get("corpus", "")), sections)


def _spread(kinds: Mapping[Kind, Sequence[ObjectiveRecord]]) -> list[Figure]:
    """Whether embeddings collapse, and in which steps (SSL-SLR, arXiv 2509.05188, figure 8)."""
    drawn = [
        Line(_label(kind), [(step.num_steps, step.embedding_std) for step in one.steps], index % 6)
        for index, (kind, own) in enumerate(kinds.items())
        for one in own
        if one.steps
    ]
    if not drawn:
        return []
    alt = "Standard deviation of the embedding by gradient step"
    chart = lines(drawn, alt, "gradient steps", "standard deviation", False, log_x=True)
    return [Figure("spread", chart, f"{alt}: 1 spreads evenly, 0 has collapsed; a line a seed.")]


def by_kind(records: Sequence[ObjectiveRecord]) -> dict[Kind, list[ObjectiveRecord]]:
    """Records by objective and augmentation, in order of appearance."""
    kinds: dict[Kind, list[ObjectiveRecord]] = {}
    for one in records:
        kinds.setdefault((one.objective, one.augmentation), []).append(one)
    return kinds


def named(objective: str) -> str:
    """An objective's name as its paper writes it."""
    return _NAMES.get(objective, objective)


def _label(kind: Kind) -> str:
    return f"{named(kind[0])}, {kind[1]}" if kind[1] else named(kind[0])


def _over_seeds(own: Sequence[ObjectiveRecord], name: str) -> Interval | None:
    values = [_SHARES[name](one) for one in own]
    found = [value for value in values if value is not None]
    return interval(found) if found else None


def _interval_text(found: Interval | None) -> str:
    if found is None:
        return "–"
    spread = "" if found.half_width is None else f" ± {100 * found.half_width:.1f}"
    return f"{100 * found.mean:.1f}{spread}"


def _numbers(kinds: Mapping[Kind, Sequence[ObjectiveRecord]]) -> Table:
    rows: list[list[Value]] = []
    for kind, own in kinds.items():
        rates = [one.clips_per_s for one in own if one.clips_per_s is not None]
        spreads = [one.embedding_std for one in own if one.embedding_std is not None]
        rows.append(
            [
                named(kind[0]),
                kind[1],
                *(_interval_text(_over_seeds(own, name)) for name in _SHARES),
                _mean([one.inertia_share for one in own]),
                _mean([one.effective_rank for one in own]),
                _mean(spreads),
                own[0].num_steps,
                _mean(rates),
                len(own),
            ]
        )
    columns = [Column("objective"), Column("views"), *(Column(f"{name}, %") for name in _SHARES)]
    columns += [
        Column(name, "number")
        for name in ("intra-class inertia, share", "effective rank", "embedding std")
    ]
    columns += [Column("steps", "count"), Column("clips/s", "number"), Column("seeds", "count")]
    return Table(columns, rows, "Test set, mean ± 95 % over seeds; other columns are means.")


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _differences(kinds: Mapping[Kind, Sequence[ObjectiveRecord]]) -> Table | None:
    """Linear accuracy paired by seed: augmentations within an objective, SL-FPN against its peers.

    p-values are Holm-corrected over all rows.
    """
    names = [kind for kind in kinds if kind[1]]
    pairs: list[tuple[Kind, Kind]] = []
    for objective in dict.fromkeys(kind[0] for kind in names):
        pairs += pairwise(kind for kind in names if kind[0] == objective)
    pairs += [
        (own, other)
        for own in names
        for other in names
        if own[0] == "sl_fpn" and other[0] != "sl_fpn" and own[1] == other[1]
    ]
    found: list[tuple[Kind, Kind, PairedDifference]] = []
    for first, second in pairs:
        difference = paired_difference(_accuracies(kinds[first]), _accuracies(kinds[second]))
        if difference is not None and difference.p_value is not None:
            found.append((first, second, difference))
    if not found:
        return None
    corrected = holm([one.p_value or 0.0 for _, _, one in found])
    rows: list[list[Value]] = [
        [
            f"{_label(first)} − {_label(second)}",
            one.mean,
            one.low,
            one.high,
            p_value,
            "yes" if one.excludes_zero else "no",
        ]
        for (first, second, one), p_value in zip(found, corrected, strict=True)
    ]
    columns = [
        Column("difference"),
        Column("points", "points"),
        Column("from", "points"),
        Column("to", "points"),
        Column("p (Holm)", "number"),
        Column("interval excludes 0"),
    ]
    return Table(columns, rows, "Linear accuracy in percentage points, paired by seed.")


def _accuracies(own: Sequence[ObjectiveRecord]) -> dict[int, float]:
    return {one.seed: one.linear.accuracy for one in own if one.linear is not None}
