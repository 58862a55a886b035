"""What a run cost, in the report and on the terminal: lost tries are in it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import record_factory as factory
from folds_factory import in_folds
from rich.console import Console

from slr_ray.documents.document import Section, Table
from slr_ray.reporting.background import cost_section, data_section
from slr_ray.reporting.result import verdict_section
from slr_ray.reporting.run import Run, load_run
from slr_ray.reporting.spending import spending_sentence
from slr_ray.reporting.terminal import print_summary
from slr_ray.reporting.verdict import verdict

_ONE_GPU = {"cpus": 4.0, "gpus": 1.0}
_LINES = [
    ("10:00", "run_started", {}),
    ("10:00", "trial_started", {"trial": 0, **_ONE_GPU}),
    ("11:00", "trial_restarted", {"trial": 0, "reason": "its process died"}),
    ("11:00", "trial_started", {"trial": 0, **_ONE_GPU}),
    ("13:00", "trial_complete", {"trial": 0, "value": 0.6}),
]


def run(tmp_path: Path, price: float | None, logged: list[Any] = _LINES) -> Run:
    factory.write_run(str(tmp_path), factory.WIN, price_per_hour=price)
    lines = [
        {"at": f"2026-11-26T{at}:00+00:00", "event": event, "who": "driver:1", **facts}
        for at, event, facts in logged
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


def table_of(section: Section, first: str) -> list[list[object]]:
    """The rows of the table whose first column is called so."""
    (found,) = (
        one for one in section.blocks if isinstance(one, Table) and one.columns[0].title == first
    )
    return [list(row) for row in found.rows]


def test_the_final_comparison_is_what_it_trained(tmp_path: Path) -> None:
    found = in_folds(tmp_path)
    told = {str(name): value for name, value in table_of(cost_section(found), "what")}
    # In each fold FSL's one round of seed 0; the best trial's four of seed 0 and three of seed 1.
    assert told["Final comparison"] == "6 trainings, 4 min 00 s, 2,400 steps"
    assert told["Rounds that it reused"] == "4 of 20 (20 %), 1 min 00 s saved"
    arms = {
        str(row[0]): row[-2:] for row in table_of(verdict_section(found, verdict(found)), "Method")
    }
    # Of a training: a fold takes 100 or 200 steps a round.
    assert arms["Fully supervised (FSL)"] == [150, 15.0]
    assert arms["Best trial"] == [600, 60.0]
    assert arms["Nearest neighbour"][0] == 0


def test_what_trains_nothing_is_no_training(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), {"fsl": [0.5, 0.6], "nearest_neighbour": [0.4, 0.4]})
    told = dict(table_of(cost_section(load_run(str(tmp_path))), "what"))
    assert told["Final comparison"] == "2 trainings, 40 s, 800 steps"


def test_pools_of_folds_tell_which_fold(tmp_path: Path) -> None:
    rows = table_of(data_section(in_folds(tmp_path)), "used by")
    who = "Fully supervised (FSL); Best trial"
    assert rows == [[who, fold, seed, 60, 2800] for fold in (0, 1) for seed in (0, 1)]


def test_trials_at_the_same_time_are_those_while_any_ran(tmp_path: Path) -> None:
    """Neither the final comparison counts, nor the hours without a driver."""
    what = "Trials at the same time, mean"
    logged: list[Any] = [
        ("10:00", "run_started", {}),
        ("10:00", "trial_started", {"trial": 0}),
        ("10:30", "trial_started", {"trial": 1}),
        ("11:00", "trial_complete", {"trial": 1, "value": 0.5}),
        ("12:00", "trial_complete", {"trial": 0, "value": 0.6}),
        ("16:00", "run_resumed", {}),
        ("16:00", "trial_started", {"trial": 2}),
        ("16:30", "trial_complete", {"trial": 2, "value": 0.6}),
        ("16:30", "arm_started", {"arm": "fsl", "seed": 0}),
        ("23:00", "arm_ended", {"arm": "fsl", "seed": 0}),
        ("23:00", "run_ended", {}),
    ]
    found = run(tmp_path, None, logged)
    # Three hours of trials in two and a half.
    assert dict(table_of(cost_section(found), "what"))[what] == "1.2"
    (tmp_path / "log.jsonl").unlink()
    assert what not in dict(table_of(cost_section(found), "what"))
