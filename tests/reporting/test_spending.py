"""What a run cost, in the report and on the terminal: lost tries are in it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import record_factory as factory
from rich.console import Console

from slr_ray.documents.document import Table
from slr_ray.reporting.background import cost_section
from slr_ray.reporting.run import Run, load_run
from slr_ray.reporting.spending import spending_sentence
from slr_ray.reporting.terminal import print_summary

_ONE_GPU = {"cpus": 4.0, "gpus": 1.0}
_LINES = [
    ("10:00", "run_started", {}),
    ("10:00", "trial_started", {"trial": 0, **_ONE_GPU}),
    ("11:00", "trial_restarted", {"trial": 0, "reason": "its process died"}),
    ("11:00", "trial_started", {"trial": 0, **_ONE_GPU}),
    ("13:00", "trial_complete", {"trial": 0, "value": 0.6}),
]


def run(tmp_path: Path, price: float | None) -> Run:
    factory.write_run(str(tmp_path), factory.WIN, price_per_hour=price)
    lines = [
        {"at": f"2026-11-26T{at}:00+00:00", "event": event, "who": "driver:1", **facts}
        for at, event, facts in _LINES
    ]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return load_run(str(tmp_path))


def test_hours_and_money_with_lost_tries(tmp_path: Path) -> None:
    found = run(tmp_path, 2.5)
    table = cost_section(found).blocks[0]
    assert isinstance(table, Table)
    told = {str(row[0]): row[1] for row in table.rows}
    whole = "3 GPU-hours, 12 processor-hours"
    assert told["Reserved by trials and arms, every try counted"] == whole
    assert told["Of that, lost tries"] == "1 (1 GPU-hours, 4 processor-hours)"
    assert told["Cost at 2.5 an hour of a GPU"] == "7.50"
    printed = io.StringIO()
    print_summary(found, Console(file=printed, width=200))
    assert f"every try counted: {whole}; of that, lost tries: 1" in printed.getvalue()


def test_without_a_price_no_cost_and_without_a_log_no_hours(tmp_path: Path) -> None:
    assert "ost at" not in str(spending_sentence(run(tmp_path, None)))
    (tmp_path / "log.jsonl").unlink()
    assert spending_sentence(load_run(str(tmp_path))) is None
