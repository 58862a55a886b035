"""Every searched parameter against the value that trials reached, by how they ended."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from slr_ray.documents.document import Beside, Block, Figure, Paragraph
from slr_ray.documents.slices import SlicePoint, slice_chart
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.importance import MIN_TRIALS, parameter_names
from slr_ray.reporting.run import METRIC_NAMES, Run

_MOST = 12
"""Parameters drawn, those that matter most first."""
_IN_ROW = 3


def slice_blocks(run: Run, order: Sequence[str]) -> list[Block]:
    """From eight trials on; parameters in `order`, then the others, without those never varied."""
    shown = [one for one in run.trials if one.value is not None and math.isfinite(one.value)]
    if len(shown) < MIN_TRIALS:
        return []
    names = [*order, *(one for one in parameter_names(shown) if one not in order)]
    varied = [
        name
        for name in names
        if len({str(one.params[name]) for one in shown if name in one.params}) > 1
    ]
    if not varied:
        return []
    told = f"Each parameter against validation {METRIC_NAMES[run.metric]}: a dot a trial"
    without = len(run.trials) - len(shown)
    if without:
        told += f"; {without} trials ended without a value"
    if len(varied) > _MOST:
        told += f"; {_MOST} of {len(varied)} parameters, those that matter most"
    drawn = [_slice(run, shown, name) for name in varied[:_MOST]]
    rows = [Beside(drawn[start : start + _IN_ROW]) for start in range(0, len(drawn), _IN_ROW)]
    return [Paragraph(f"{told}."), *rows]


def _slice(run: Run, shown: Sequence[TrialRecord], name: str) -> Figure:
    metric, share = METRIC_NAMES[run.metric], not run.lower_is_better
    points = [
        SlicePoint(
            one.params[name],
            one.value or 0.0,
            *_told(run, one),
            f"trial {one.number}, {name} {one.params[name]}: {metric} {one.value:.4g}",
        )
        for one in shown
        if name in one.params
    ]
    # The stopped ones behind the others.
    points.sort(key=lambda one: one.label == "complete")
    drawing = slice_chart(name, points, f"validation {metric}", share)
    # The name becomes a file's.
    return Figure("slice_" + re.sub(r"[^A-Za-z0-9_.]", "_", name), drawing)


def _told(run: Run, trial: TrialRecord) -> tuple[str, int]:
    """How a trial ended, and its colour."""
    if trial.status != "complete":
        return {"pruned": "stopped early"}.get(trial.status, trial.status), 1
    return ("complete", 3) if run.goals.kept(trial) else ("beyond a limit", 5)
