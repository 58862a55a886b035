"""Word error rates of a report: of each way of training, by length, by gloss, and which errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slr_ray.documents.charts import BarSeries, grouped_bars
from slr_ray.documents.document import Block, Column, Figure, Paragraph, Table, Value
from slr_ray.evaluation.statistics import interval
from slr_ray.reporting.sentences.answered import Answered, Pair
from slr_ray.reporting.wording import interval_text, span_text

_MAX_PAIRS = 15
_IN_TIME = {
    "frame_accuracy": "frames right, %",
    "segment_f1_10": "segment F1 at IoU 0.1",
    "segment_f1_25": "at 0.25",
    "segment_f1_50": "at 0.5",
    "boundary_f1_10": "boundary F1 at IoU 0.1",
    "boundary_f1_25": "at 0.25",
    "boundary_f1_50": "at 0.5",
}


def rates_table(every: Sequence[Answered]) -> Table:
    """WER with what it is made of, in per cent of the true glosses."""
    over = "signers" if all(one.has_signers for one in every) else "sentences"
    columns = [Column("Method"), Column("WER"), Column(f"95 % over {over}")]
    columns += [Column(name, "percent") for name in ("substituted", "deleted", "inserted")]
    columns += [Column("sentences", "count"), Column("seeds", "count")]
    rows: list[list[Value]] = []
    for one in every:
        errors = one.together
        parts = (errors.substitutions, errors.deletions, errors.insertions)
        rows.append(
            [
                one.title,
                interval_text(interval([own.wer for own in one.metrics])),
                None if one.span is None else span_text(one.span),
                *(part / errors.num_glosses for part in parts),
                len(one.answers[0]),
                len(one.answers),
            ]
        )
    caption = (
        "Word error rate on the test sentences: mean ± 95 % half-width over seeds, and where "
        f"{over} are drawn again (bootstrap). Substituted, deleted and inserted glosses in % of "
        "the true ones."
    )
    return Table(columns, rows, caption)


def in_time_table(every: Sequence[Answered]) -> Table:
    """How well glosses are placed, and how spiky the model is; mean over seeds."""
    columns = [Column("Method"), *(Column(name, "percent") for name in _IN_TIME.values())]
    columns.append(Column("steps with a gloss, %", "percent"))
    rows: list[list[Value]] = [
        [
            one.title,
            *(_mean([getattr(own, name) for own in one.metrics]) for name in _IN_TIME),
            _mean([own.non_blank_share for own in one.metrics]),
        ]
        for one in every
    ]
    caption = (
        "In time, mean over seeds: frames of true glosses in a predicted segment of that gloss; F1 "
        "of segments, right where gloss and overlap are, and of their boundaries, right where the "
        "overlap is; share of steps whose best path says a gloss, which is small where the model "
        "is spiky."
    )
    return Table(columns, rows, caption)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None


def length_blocks(every: Sequence[Answered]) -> list[Block]:
    """WER by the number of true glosses, drawn and as a table."""
    found = [one.by_length() for one in every]
    lengths = sorted(set().union(*found))
    rates = [
        [own[length][1].rate if length in own else None for length in lengths] for own in found
    ]
    bars = [
        BarSeries(one.title, values, one.series) for one, values in zip(every, rates, strict=True)
    ]
    labels = [f"{length} glosses" if length > 1 else "1 gloss" for length in lengths]
    alt = "WER by the number of true glosses: " + ", ".join(one.title for one in every)
    columns = [Column("glosses", "count"), Column("sentences", "count")]
    columns += [Column(f"{one.title}, %", "percent") for one in every]
    rows: list[list[Value]] = [
        [length, max(own[length][0] for own in found if length in own), *values]
        for length, *values in zip(lengths, *rates, strict=True)
    ]
    caption = "Sentences by the number of their true glosses; WER over all seeds."
    return [
        Figure("wer_by_length", grouped_bars(labels, bars, alt, "%"), f"{alt}."),
        Table(columns, rows, caption),
    ]


def gloss_table(one: Answered) -> Table:
    """What became of each gloss."""
    columns = [Column("gloss"), Column("signed", "count"), Column("WER, %", "percent")]
    names = ("right", "substituted", "deleted", "inserted")
    columns += [Column(name, "count") for name in names]
    rows: list[list[Value]] = [
        [gloss, own.num_true, own.rate, *(getattr(own, name) for name in names)]
        for gloss, own in one.by_gloss().items()
    ]
    caption = (
        f"{one.title}: times over all seeds. A gloss's WER counts where another is said for it, "
        "where it is not said, and where it is said in addition, over how often it is signed."
    )
    return Table(columns, rows, caption, sortable=True)


def error_blocks(one: Answered) -> list[Block]:
    """The most frequent substitutions, deletions and insertions."""
    wrong = {pair: times for pair, times in one.frequencies.items() if pair[0] != pair[1]}
    if not wrong:
        return [Paragraph(f"{one.title} makes no errors on the test sentences.", "note")]
    ordered = sorted(wrong.items(), key=lambda found: (-found[1], str(found[0])))
    kinds = {
        "substitutions": [found for found in ordered if None not in found[0]],
        "deletions": [found for found in ordered if found[0][1] is None],
        "insertions": [found for found in ordered if found[0][0] is None],
    }
    return [_pairs_table(kind, one.title, own) for kind, own in kinds.items() if own]


def _pairs_table(kind: str, title: str, found: Sequence[tuple[Pair, int]]) -> Table:
    named = {"substitutions": ("true", "said"), "deletions": ("true",), "insertions": ("said",)}
    columns = [*(Column(name) for name in named[kind]), Column("times", "count")]
    rows: list[list[Value]] = [
        [*(gloss for gloss in pair if gloss is not None), times]
        for pair, times in found[:_MAX_PAIRS]
    ]
    return Table(columns, rows, f"Most frequent {kind} of {title}, over all seeds.", sortable=True)
