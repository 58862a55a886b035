"""The checks' outcomes as a Markdown report, and in one line."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.check import Check, Outcome


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many checks ended how."""
    counts = Counter(one.status for one in outcomes)
    return f"{len(outcomes)} checks: " + ", ".join(f"{n} {name}" for name, n in counts.items())


def write(path: Path, checks: Sequence[Check], outcomes: Sequence[Outcome], command: str) -> None:
    """Replace the report whole."""
    today = datetime.date.today().isoformat()
    parts = ["# What a GPU gives", f"{today} · `{command}` · {summary(outcomes)}"]
    rows = [
        f"| {check.title} | {described(outcome)} | {outcome.seconds:.0f} of {check.limit_s:.0f} |"
        for check, outcome in zip(checks, outcomes, strict=True)
    ]
    parts.append("\n".join(["| check | | seconds |", "| --- | --- | ---: |", *rows]))
    for check, outcome in zip(checks, outcomes, strict=True):
        lines = [f"- {'**Problem:** ' * one.is_problem}{one.text}" for one in outcome.findings]
        parts += [f"## {check.title}", described(outcome), "\n".join(lines)]
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.write_text("\n\n".join(one for one in parts if one) + "\n")
    written.replace(path)


def described(outcome: Outcome) -> str:
    """How a check ended, and why."""
    return f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
