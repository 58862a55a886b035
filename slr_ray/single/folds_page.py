"""A cross-validation's tables, for the terminal and as Markdown."""

from __future__ import annotations

from slr_ray.documents.document import Block, Column, Document, Paragraph, Section, Table, Value
from slr_ray.records.folds import FoldsRecord
from slr_ray.reporting.run import METRIC_NAMES
from slr_ray.reporting.wording import IN_TIME_NAMES, interval_text, span_text

_NAMES = METRIC_NAMES | IN_TIME_NAMES
_HOW = (
    "Every test clip is predicted once a seed, by the model that saw nobody of its fold. The "
    "interval over seeds (Student's t) is about label draw and weights; the one over signers "
    "(bootstrap of the mean over seeds, signers drawn again) about who happens to be in the corpus."
)


def metrics_table(record: FoldsRecord) -> Table:
    """All people together."""
    rows: list[list[Value]] = [
        [
            _NAMES[name],
            interval_text(found.over_seeds),
            None if found.over_signers is None else span_text(found.over_signers),
        ]
        for name, found in record.metrics.items()
    ]
    seeds = len(record.seeds)
    caption = (
        f"{record.corpus}, {record.num_folds} folds by signer: {record.num_clips:,} clips of "
        f"{record.num_signers} signers, {seeds} {'seed' if seeds == 1 else 'seeds'}"
    )
    over_seeds = "mean" if seeds == 1 else "mean ± 95 % over seeds"
    columns = [Column("test"), Column(over_seeds), Column("95 % over signers")]
    return Table(columns, rows, caption)


def folds_table(record: FoldsRecord) -> Table:
    """Fold by fold, mean over seeds."""
    rows: list[list[Value]] = [
        [
            one.fold,
            len(one.signers),
            one.num_test_clips,
            round(one.num_labelled),
            one.label_share,
            one.num_validation,
            *(one.test.get(name) for name in record.metrics),
        ]
        for one in record.folds
    ]
    counts = ("fold", "signers", "clips", "labels", "of all, %", "validation")
    columns = [Column(name, "percent" if "%" in name else "count") for name in counts]
    names = (_NAMES[name].removesuffix(" accuracy") for name in record.metrics)
    columns += [Column(name, "percent") for name in names]
    caption = (
        "Fold by fold: people and clips tested, labels for training and their share of all that "
        "there are, test scores in %"
    )
    return Table(columns, rows, caption)


def folds_document(record: FoldsRecord) -> Document:
    blocks: list[Block] = [metrics_table(record), folds_table(record), Paragraph(_HOW)]
    subtitle = f"{record.corpus} · {record.num_folds} folds · seeds {record.seeds}"
    return Document("Over people", subtitle, [Section("people", "All people", blocks)])
