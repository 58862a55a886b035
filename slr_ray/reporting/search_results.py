"""The search: trials, failures, which parameters mattered."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from slr_ray.documents.axes import is_number
from slr_ray.documents.charts import BarSeries, Line, grouped_bars, lines
from slr_ray.documents.document import Block, Column, Figure, Kind, Paragraph, Section, Table, Value
from slr_ray.documents.matrices import ParallelRow, parallel_chart
from slr_ray.errors import DataError
from slr_ray.records.goals import figures
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.importance import (
    MIN_TRIALS,
    parameter_importance,
    parameter_names,
)
from slr_ray.reporting.run import METRIC_NAMES, Run
from slr_ray.reporting.trials.pareto import goal_column, pareto_blocks
from slr_ray.reporting.trials.progress import best_so_far
from slr_ray.reporting.trials.slices import slice_blocks
from slr_ray.reporting.wording import params_text

_MAX_LINES = 300
"""Trials drawn in the parallel coordinates: more can't be told apart."""


def trials_section(run: Run) -> Section:
    if not run.trials:
        return Section("trials", "Trials", [Paragraph("No trial has ended yet.", "note")])
    counted = Counter(trial.status for trial in run.trials)
    told = ", ".join(f"{number} {status}" for status, number in sorted(counted.items()))
    blocks: list[Block] = [
        Paragraph(f"{len(run.trials)} of {run.record.num_trials} trials have ended: {told}.")
    ]
    if run.ranked:
        if run.winner is None:
            blocks.append(Paragraph(f"There is no best trial: {run.no_winner}.", "warning"))
        blocks.append(_progress(run))
        blocks += pareto_blocks(run)
    else:
        blocks.append(Paragraph("No trial is complete, so there is no best trial.", "warning"))
    empty = [trial.number for trial in run.trials if _selected_nothing(trial)]
    if empty:
        numbers = ", ".join(str(one) for one in empty)
        blocks.append(
            Paragraph(
                f"{len(empty)} of {len(run.trials)} trials are supervised learning: their rule "
                f"selected no clip at all ({numbers}). Part of the search's range is dead: lower "
                "its thresholds, or search a share of the pool (selection.kind quantile).",
                "warning",
            )
        )
    blocks.append(_trial_table(run))
    return Section("trials", "Trials", blocks)


def failures_section(run: Run) -> Section:
    failed = [trial for trial in run.trials if trial.status == "failed"]
    if not failed:
        return Section("failures", "Failed trials", [Paragraph("No trial failed.")])
    columns = [Column("trial", "count"), Column("reason", "code"), Column("parameters", "code")]
    rows: list[list[Value]] = [
        [trial.number, _reason(trial.error), params_text(trial)] for trial in failed
    ]
    kinds = Counter(_reason(trial.error).split(":", 1)[0] for trial in failed)
    told = ", ".join(f"{number} × {kind}" for kind, number in kinds.most_common(5))
    note = Paragraph(f"{len(failed)} of {len(run.trials)} trials failed: {told}.", "warning")
    return Section("failures", "Failed trials", [note, Table(columns, rows, sortable=True)])


def parameters_section(run: Run) -> Section:
    importance: dict[str, float] = {}
    if len(run.ranked) < MIN_TRIALS:
        told = f"{len(run.ranked)} complete, {MIN_TRIALS} needed."
        blocks: list[Block] = [
            Paragraph(f"Too few trials for parameter importance: {told}", "note")
        ]
    else:
        try:
            importance = parameter_importance(run)
            blocks = [_importance(run, importance)]
        except DataError as error:
            blocks = [Paragraph(str(error), "warning")]
    if len(run.ranked) >= 2:
        blocks.append(_parallel(run, list(importance)))
    blocks += slice_blocks(run, list(importance))
    return Section("parameters", "What mattered", blocks)


def _importance(run: Run, importance: dict[str, float]) -> Block:
    if not importance:
        return Paragraph("No searched parameter varied over the complete trials.", "note")
    alt = "Parameter importance: " + ", ".join(
        f"{name} {100 * share:.0f} %" for name, share in importance.items()
    )
    bars = [BarSeries("importance", list(importance.values()), 3)]
    caption = (
        "PED-ANOVA: what sets the best tenth of the complete trials apart from the rest. It "
        "ranks association within this search, not cause"
    )
    few = "; with fewer than 50 trials it is rough." if len(run.ranked) < 50 else "."
    return Figure("importance", grouped_bars(list(importance), bars, alt, "%"), caption + few)


def _reason(error: str | None) -> str:
    """The message of a traceback: its last line with text."""
    told = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return told[-1] if told else "no reason recorded"


def _progress(run: Run) -> Figure:
    complete = sorted(run.ranked, key=lambda trial: trial.number)
    name = METRIC_NAMES[run.metric]
    dots = [
        Line(
            "trial",
            [(trial.number, trial.value or 0.0)],
            4,
            title=f"trial {trial.number} ({trial.source})",
        )
        for trial in complete
    ]
    so_far = [(float(trial.number), best) for trial, best in best_so_far(run, complete)]
    drawn = [*dots, Line("best so far", so_far, 3, marks=False)]
    reached = f"the best reached {so_far[-1][1]:.4g}" if so_far else "none keeps the limits"
    alt = f"Validation {name} by trial; {reached}"
    share = not run.lower_is_better
    drawing = lines(drawn, alt, "trial", f"validation {name}", share, whole_x=True)
    caption = "Complete trials in the order they were suggested, mean over the search's seeds."
    if run.goals.limits:
        caption += f" The best so far is of those that keep {run.goals.limits_text()}."
    return Figure("search_progress", drawing, caption)


def _trial_table(run: Run) -> Table:
    names = parameter_names(run.trials)
    share = not run.lower_is_better
    columns = [Column("rank", "count"), Column("trial", "count"), Column("status")]
    columns.append(
        Column(
            f"validation {METRIC_NAMES[run.metric]}" + (", %" if share else ""),
            "percent" if share else "number",
        )
    )
    columns += [Column("rounds", "number"), Column("ended"), Column("time", "seconds")]
    columns += [Column("source"), *(goal_column(name) for name in run.also_shown)]
    columns += [Column("limits")] if run.goals.limits else []
    columns += [Column(name, _param_kind(run, name)) for name in names]
    rank = {trial.number: index + 1 for index, trial in enumerate(run.ranked)}
    ordered = run.ranked + [trial for trial in run.trials if trial.number not in rank]
    rows: list[list[Value]] = [
        [
            rank.get(trial.number),
            trial.number,
            trial.status,
            trial.value,
            _mean_rounds(trial),
            _ended(trial),
            trial.wall_s,
            trial.source,
            *(figures(trial).get(name) for name in run.also_shown),
            *_kept(run, trial),
            *(_cell(trial.params.get(name)) for name in names),
        ]
        for trial in ordered
    ]
    caption = "Best first; rounds are means over seeds. Click a column's head to sort."
    if run.goals.limits:
        caption += f" Limits: {run.goals.limits_text()}."
    return Table(columns, rows, caption, sortable=True, markdown_rows=15)


def _kept(run: Run, trial: TrialRecord) -> list[Value]:
    """Whether it is within the limits, in a cell where there are any."""
    if not run.goals.limits:
        return []
    return [None if not trial.seeds else "kept" if run.goals.kept(trial) else "broken"]


def _param_kind(run: Run, name: str) -> Kind:
    values = [trial.params.get(name) for trial in run.trials]
    numeric = all(value is None or is_number(value) for value in values)
    return "number" if numeric else "code"


def _cell(value: Any) -> Value:
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    return str(value)


def _mean_rounds(trial: TrialRecord) -> float | None:
    counts = [len(seed.rounds) for seed in trial.seeds]
    return float(np.mean(counts)) if counts else None


def _ended(trial: TrialRecord) -> str:
    """Why there was no further round, of every seed; each reason once."""
    return "; ".join(dict.fromkeys(seed.stopped_because for seed in trial.seeds))


def _selected_nothing(trial: TrialRecord) -> bool:
    """Whether no seed of a trial with rounds that choose ever trained on a pseudo-label."""
    return bool(trial.seeds) and all(
        seed.stopped_because.startswith("the rule selected no clip") and len(seed.rounds) == 1
        for seed in trial.seeds
    )


def _parallel(run: Run, order: list[str]) -> Figure:
    ranked = run.ranked
    shown = ranked
    if len(ranked) > _MAX_LINES:
        step = len(ranked) / _MAX_LINES
        shown = [ranked[int(index * step)] for index in range(_MAX_LINES)]
    name = METRIC_NAMES[run.metric]
    rest = [one for one in parameter_names(ranked) if one not in order]
    rows = [
        ParallelRow(
            {**trial.params, name: trial.value},
            1 - index / max(1, len(shown) - 1),
            f"trial {trial.number}, {name} {trial.value:.4g}: {params_text(trial)}",
        )
        for index, trial in enumerate(shown)
    ]
    alt = (
        f"Parallel coordinates of {len(shown)} complete trials over {len(order + rest)} parameters"
    )
    caption = "One line a complete trial; bold: the best tenth, blue: the better half"
    caption += f"; {len(shown)} of {len(ranked)} drawn." if len(shown) < len(ranked) else "."
    return Figure("parallel", parallel_chart(order + rest, rows, name, alt), caption)
