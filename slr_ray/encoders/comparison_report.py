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
from slr_ray.encoders.compared import Compared, Kind, mean
from slr_ray.encoders.records import Classification
from slr_ray.evaluation.people import POOLED_METRICS, difference_spans
from slr_ray.evaluation.statistics import PairedDifference, holm, paired_difference
from slr_ray.objectives.objectives import TITLES
from slr_ray.records.measured import Interval, Metric, Span
from slr_ray.reporting.run import METRIC_NAMES
from slr_ray.reporting.wording import interval_text, points, span_text

_NAMES = TITLES | {"fresh": "fresh encoder", "poses": "normalised poses"}
_CLASSIFIERS: dict[Classification, str] = {"linear": "linear", "mlp": "MLP", "knn": "k-NN"}
_SHOWN: tuple[tuple[Classification, Metric], ...] = (
    ("linear", "accuracy"),
    ("linear", "top5_accuracy"),
    ("linear", "balanced_accuracy"),
    ("mlp", "accuracy"),
    ("knn", "accuracy"),
)
"""In the terminal, which is narrow."""


def objectives_table(kinds: Sequence[Compared]) -> RichTable:
    """Mean and 95 % interval over seeds on the test set, and over signers of linear accuracy."""
    columns = [f"{_CLASSIFIERS[name]} {METRIC_NAMES[metric]}" for name, metric in _SHOWN]
    table = RichTable(
        "objective", "views", *columns, "linear accuracy over signers", "seeds", title="test set"
    )
    for one in kinds:
        cells = [_interval_text(one.over_seeds(*shown)) for shown in _SHOWN]
        people = _span_text(one.over_signers("linear", "accuracy"))
        table.add_row(named(one.kind[0]), one.kind[1], *cells, people, str(len(one.records)))
    return table


def objectives_document(
    kinds: Sequence[Compared], failed: Mapping[str, str], facts: Mapping[str, Value]
) -> Document:
    """What the comparison found, as a report: differences first, then every number."""
    rows = []
    for index, one in enumerate(kinds):
        found = one.over_seeds("linear", "accuracy")
        if found is not None:
            values = list(one.values("linear", "accuracy").values())
            rows.append(
                IntervalRow(_label(one.kind), found.mean, found.half_width, values, index % 6)
            )
    blocks: list[Block] = [
        Paragraph(f"{name} failed: {reason}", "warning") for name, reason in failed.items()
    ]
    alt = "Linear accuracy on the test set by objective and augmentation"
    blocks.append(Figure("objectives", intervals(rows, alt), f"{alt}: mean, 95 % interval, seeds."))
    differences = _differences(kinds)
    if differences is not None:
        blocks.append(differences)
    blocks += [
        _numbers(kinds),
        _geometry(kinds),
        *_spread(kinds),
        Paragraph(
            "Intervals over seeds are about initial weights, order of clips, views and label draw. "
            "Those over signers (bootstrap of the mean over seeds, signers drawn again) are about "
            "who happens to be tested: with --folds everybody, else the split's test signers.",
            "note",
        ),
    ]
    settings = Table(
        [Column("what"), Column("value")], [[name, value] for name, value in facts.items()]
    )
    sections = [
        Section("result", "Result", blocks),
        Section("settings", "Settings", [settings]),
    ]
    return Document("Self-supervised objectives compared", str(facts.get("corpus", "")), sections)


def _spread(kinds: Sequence[Compared]) -> list[Figure]:
    """Whether embeddings collapse, and in which steps (SSL-SLR, arXiv 2509.05188, figure 8)."""
    drawn = [
        Line(
            _label(one.kind),
            [(step.num_steps, step.embedding_std) for step in record.steps],
            index % 6,
        )
        for index, one in enumerate(kinds)
        for record in one.records
        if record.steps
    ]
    if not drawn:
        return []
    alt = "Standard deviation of the embedding by gradient step"
    chart = lines(drawn, alt, "gradient steps", "standard deviation", False, log_x=True)
    return [Figure("spread", chart, f"{alt}: 1 spreads evenly, 0 has collapsed; a line a seed.")]


def named(objective: str) -> str:
    """An objective's name as its paper writes it."""
    return _NAMES.get(objective, objective)


def _label(kind: Kind) -> str:
    return f"{named(kind[0])}, {kind[1]}" if kind[1] else named(kind[0])


def _interval_text(found: Interval | None) -> str:
    return "–" if found is None else interval_text(found)


def _span_text(found: Span | None) -> str:
    return "–" if found is None else span_text(found)


def _numbers(kinds: Sequence[Compared]) -> Table:
    """Every classifier on every kind of encoder."""
    rows: list[list[Value]] = [
        [
            named(one.kind[0]),
            one.kind[1],
            title,
            *(_interval_text(one.over_seeds(name, metric)) for metric in POOLED_METRICS),
            _span_text(one.over_signers(name, "accuracy")),
            len(one.records),
        ]
        for one in kinds
        for name, title in _CLASSIFIERS.items()
        if name in one.people
    ]
    columns = [Column(name) for name in ("objective", "views", "classifier")]
    columns += [Column(METRIC_NAMES[metric]) for metric in POOLED_METRICS]
    columns += [Column("accuracy, over signers"), Column("seeds", "count")]
    caption = "Test set, mean ± 95 % over seeds. SSL-SLR's linear evaluation is the MLP."
    return Table(columns, rows, caption, sortable=True, markdown_rows=len(rows))


def _geometry(kinds: Sequence[Compared]) -> Table:
    """How representations lie, and what pre-training took."""
    rows: list[list[Value]] = [
        [
            named(one.kind[0]),
            one.kind[1],
            mean(record.inertia_share for record in one.records),
            mean(record.effective_rank for record in one.records),
            mean(record.embedding_std for record in one.records),
            one.records[0].num_steps,
            mean(record.clips_per_s for record in one.records),
        ]
        for one in kinds
    ]
    columns = [Column("objective"), Column("views")]
    columns += [
        Column(name, "number")
        for name in ("intra-class inertia, share", "effective rank", "embedding std")
    ]
    columns += [Column("steps", "count"), Column("clips/s", "number")]
    return Table(columns, rows, "Representations of the test clips, and pre-training: means.")


def _differences(kinds: Sequence[Compared]) -> Table | None:
    """Linear accuracy paired by seed: augmentations within an objective, SL-FPN against its peers.

    p-values are Holm-corrected over all rows. One seed has none, and only an interval over signers.
    """
    pre_trained = [one for one in kinds if one.kind[1]]
    pairs: list[tuple[Compared, Compared]] = []
    for objective in dict.fromkeys(one.kind[0] for one in pre_trained):
        pairs += pairwise(one for one in pre_trained if one.kind[0] == objective)
    pairs += [
        (own, other)
        for own in pre_trained
        for other in pre_trained
        if own.kind[0] == "sl_fpn" and other.kind[0] != "sl_fpn" and own.kind[1] == other.kind[1]
    ]
    found: list[tuple[str, PairedDifference, str | None]] = []
    for first, second in pairs:
        values = [one.values("linear", "accuracy") for one in (first, second)]
        difference = paired_difference(*values)
        people = _over_signers(first, second)
        if difference is not None and (difference.p_value is not None or people is not None):
            found.append((f"{_label(first.kind)} − {_label(second.kind)}", difference, people))
    if not found:
        return None
    corrected = iter(holm([one.p_value for _, one, _ in found if one.p_value is not None]))
    rows: list[list[Value]] = [
        [
            label,
            one.mean,
            one.low,
            one.high,
            people,
            None if one.p_value is None else next(corrected),
            None if one.half_width is None else "yes" if one.excludes_zero else "no",
        ]
        for label, one, people in found
    ]
    columns = [
        Column("difference"),
        Column("points", "points"),
        Column("from", "points"),
        Column("to", "points"),
        Column("over signers"),
        Column("p (Holm)", "number"),
        Column("interval excludes 0"),
    ]
    return Table(columns, rows, "Linear accuracy in percentage points, paired by seed.")


def _over_signers(first: Compared, second: Compared) -> str | None:
    """The difference on seeds that both have, where signers are drawn again; None of one signer."""
    common = {one.seed for one in first.records} & {one.seed for one in second.records}
    if not common or first.over_signers("linear", "accuracy") is None:
        return None
    ours, theirs = (
        [
            counts
            for record, counts in zip(one.records, one.people["linear"], strict=True)
            if record.seed in common
        ]
        for one in (first, second)
    )
    span = difference_spans(ours, theirs)["accuracy"]
    return f"{points(span.low)} to {points(span.high)}"
