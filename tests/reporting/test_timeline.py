"""The timeline of a run: from the log's lines to bars and to what a person should know."""

from __future__ import annotations

import json
from pathlib import Path

import record_factory as factory

from slr_ray.documents.document import Figure, Paragraph, Table
from slr_ray.reporting.run import load_run
from slr_ray.reporting.timeline import timeline_section

_LINES = [
    (0, "run_started", "driver:1", {}),
    (1, "trial_started", "driver:1", {"trial": 0}),
    (1, "trial_started", "driver:1", {"trial": 1}),
    (5, "round_ended", "a:7", {"trial": 0, "round": 0, "value": 0.5, "reused": False}),
    (6, "round_ended", "b:8", {"trial": 1, "round": 0, "value": 0.4, "reused": True}),
    (9, "trial_restarted", "b:8", {"trial": 1, "reason": "its process died"}),
    (10, "trial_started", "driver:1", {"trial": 1}),
    (12, "trial_complete", "a:7", {"trial": 0, "value": 0.6}),
    (15, "round_ended", "a:7", {"trial": 1, "round": 0, "value": 0.4, "reused": True}),
    (20, "trial_complete", "a:7", {"trial": 1, "value": 0.7}),
    (21, "arm_started", "driver:1", {"arm": "fsl", "seed": 0}),
    (30, "arm_ended", "c:9", {"arm": "fsl", "seed": 0}),
]


def test_bars_by_worker_and_what_was_lost(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), factory.WIN)
    lines = [
        {"at": f"2026-11-26T10:00:{second:02}+00:00", "event": event, "who": who, **facts}
        for second, event, who, facts in _LINES
    ]
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    section = timeline_section(load_run(str(tmp_path)))
    figure, note, table = section.blocks
    assert isinstance(figure, Figure)
    drawn = figure.content.decode()
    for worker in ("a:7", "b:8", "c:9"):
        assert worker in drawn
    assert "driver:1" not in drawn
    assert "trial 1: lost try, 8.0 s" in drawn
    assert "trial 1: complete, 10 s, 0.700" in drawn
    assert "fsl 0: arm, 9.0 s" in drawn
    assert isinstance(note, Paragraph)
    assert "2 rounds were found as stages" in note.text
    assert isinstance(table, Table)
    assert table.rows == [[9.0, "trial restarted", "trial 1", "its process died"]]


def test_a_run_without_a_log_says_so(tmp_path: Path) -> None:
    factory.write_run(str(tmp_path), factory.WIN)
    (note,) = timeline_section(load_run(str(tmp_path))).blocks
    assert isinstance(note, Paragraph)
    assert note.text == "The run has no log."
