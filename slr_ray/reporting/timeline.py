"""The course of a run, from its log: which worker did what, and what was lost."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from slr_ray.documents.document import Block, Column, Figure, Paragraph, Section, Table, Value
from slr_ray.documents.timeline import Span, timeline
from slr_ray.durations import duration
from slr_ray.records.log import Event, read_log
from slr_ray.reporting.run import Run

_LOST = "lost try"
_SERIES = {"complete": 3, "pruned": 4, "failed": 1, _LOST: 5, "arm": 2}
_ENDS = {
    "trial_complete": "complete",
    "trial_pruned": "pruned",
    "trial_failed": "failed",
    "trial_cut_off": "pruned",
    "trial_restarted": _LOST,
    "arm_ended": "arm",
    "arm_failed": "failed",
}
_TOLD = ("run_resumed", "trial_restarted", "trial_failed", "trial_cut_off", "arm_failed")


def timeline_section(run: Run) -> Section:
    """The bars, then every event that a person should know of."""
    events = read_log(run.folder)
    if not events:
        return Section("timeline", "Timeline", [Paragraph("The run has no log.", "note")])
    begun = events[0].time
    spans = _spans(events, begun)
    blocks: list[Block] = []
    if spans:
        lanes = len({one.lane for one in spans})
        alt = f"{len(spans)} pieces of work on {lanes} workers"
        present = [name for name, series in _SERIES.items() if series in {s.series for s in spans}]
        drawing = timeline(spans, [(name, _SERIES[name]) for name in present], alt)
        caption = "Trials and arms over the workers, from the first start of the run."
        blocks.append(Figure("timeline", drawing, caption))
    counts = Counter(one.event for one in events)
    reused = sum(one.reused is True for one in events)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.most_common())
    blocks.append(Paragraph(f"{told}; {reused} rounds were found as stages.", "note"))
    rows: list[list[Value]] = [
        [(one.time - begun).total_seconds(), one.event.replace("_", " "), _what(one), one.reason]
        for one in events
        if one.event in _TOLD
    ]
    if rows:
        columns = [Column("after", "seconds"), Column("event"), Column("what"), Column("why")]
        blocks.append(Table(columns, rows, "What was lost, stopped or taken up again."))
    return Section("timeline", "Timeline", blocks)


@dataclass
class _Open:
    """Work that has begun."""

    start: datetime.datetime
    who: str | None = None


def _spans(events: Sequence[Event], begun: datetime.datetime) -> list[Span]:
    """Each try of a trial and each arm, where its worker is known."""
    running: dict[str, _Open] = {}
    spans = []
    for one in events:
        what = _what(one)
        if one.event in ("trial_started", "arm_started"):
            running[what] = _Open(one.time)
        elif one.event == "round_ended" and what in running:
            running[what].who = one.who
        elif one.event in _ENDS and what in running:
            work = running.pop(what)
            outcome, lane = _ENDS[one.event], work.who or one.who
            start_s = (work.start - begun).total_seconds()
            end_s = (one.time - begun).total_seconds()
            value = "" if one.value is None else f", {one.value:.3f}"
            title = f"{what}: {outcome}, {duration(end_s - start_s)}{value}"
            label = what.removeprefix("trial ")
            spans.append(Span(lane, start_s, end_s, label, _SERIES[outcome], title))
    return spans


def _what(event: Event) -> str:
    if event.trial is not None:
        return f"trial {event.trial}"
    return f"{event.arm} {event.seed}" if event.arm is not None else "the run"
