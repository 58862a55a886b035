"""Figures of a report in words."""

from __future__ import annotations

import math

from slr_ray.records.measured import Interval, Span
from slr_ray.records.runs import TrialRecord

IN_TIME_NAMES = {
    **{
        f"{name}_f1_{overlap}": f"{name} F1 at IoU {overlap / 100:g}"
        for name in ("segment", "boundary")
        for overlap in (10, 25, 50)
    },
    "frame_accuracy": "frames right",
}
"""What is found where in time in sentences, by the names of `SentenceMetrics`."""


def percent(share: float) -> str:
    return "–" if not math.isfinite(share) else f"{100 * share:.1f} %"


def points(share: float) -> str:
    """A difference of shares in percentage points with its sign; a true minus for reading."""
    return f"{100 * share:+.1f}".replace("-", "−")


def p_text(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def interval_text(found: Interval) -> str:
    if found.half_width is None:
        return percent(found.mean)
    return f"{100 * found.mean:.1f} ± {100 * found.half_width:.1f} %"


def span_text(span: Span) -> str:
    return f"{100 * span.low:.1f} to {100 * span.high:.1f} %"


def untold_text(num_seeds: int) -> str:
    """Why a difference over so many common seeds has no interval."""
    return "one seed" if num_seeds == 1 else f"the same in all {num_seeds} seeds"


def params_text(trial: TrialRecord) -> str:
    """The searched values in a line for reading; floats are rounded."""
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in trial.params.items()
    )
