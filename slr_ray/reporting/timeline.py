"""The course of a run, from its log: which worker did what, and what was lost."""

from __future__ import annotations

import datetime
from collections import Counter

from slr_ray.documents.document import Block, Column, Figure, Paragraph, Section, Table, Value
from slr_ray.documents.timeline import Span, timeline
from slr_ray.durations import duration
from slr_ray.records.log import read_log
from slr_ray.records.tries import LOST, Tries, Try
from slr_ray.reporting.run import Run

_SERIES = {"complete": 3, "pruned": 4, "failed": 1, LOST: 5, "arm": 2, "cut off": 6}
_TOLD = (
    *("run_resumed", "trial_restarted", "trial_failed", "trial_cut_off", "search_ended"),
    *("arm_restarted", "arm_failed", "node_lost", "nodes_awaited"),
)


def timeline_section(run: Run) -> Section:
    """The bars, then every event that a person should know of."""
    events = read_log(run.folder)
    if not events:
        return Section("timeline", "Timeline", [Paragraph("The run has no log.", "note")])
    begun = events[0].time
    spans = [_span(one, begun) for one in Tries(events).ended]
    blocks: list[Block] = []
    if spans:
        lanes = len({one.lane for one in spans})
        alt = f"{len(spans)} pieces of work on {lanes} workers"
        present = [one for one in _SERIES.items() if one[1] in {span.series for span in spans}]
        drawing = timeline(spans, present, alt)
        caption = "Trials and arms over the workers, from the first start of the run."
        blocks.append(Figure("timeline", drawing, caption))
    counts = Counter(one.event for one in events if one.event != "run_goes_on")
    reused = sum(one.reused is True for one in events)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.most_common())
    blocks.append(Paragraph(f"{told}; {reused} rounds were found as stages.", "note"))
    rows: list[list[Value]] = [
        [(one.time - begun).total_seconds(), one.event.replace("_", " "), one.what, one.reason]
        for one in events
        if one.event in _TOLD
    ]
    if rows:
        columns = [Column("after", "seconds"), Column("event"), Column("what"), Column("why")]
        blocks.append(Table(columns, rows, "What was lost, stopped or taken up again."))
    return Section("timeline", "Timeline", blocks)


def _span(one: Try, begun: datetime.datetime) -> Span:
    value = "" if one.value is None else f", {one.value:.3f}"
    return Span(
        lane=one.who or "not known",
        start_s=(one.begun - begun).total_seconds(),
        end_s=(one.ended - begun).total_seconds(),
        label=one.what.removeprefix("trial "),
        series=_SERIES[one.outcome],
        title=f"{one.what}: {one.outcome}, {duration(one.seconds)}{value}",
    )
