"""What a log shows of a long step."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from slr_ray.durations import duration
from slr_ray.progress import ProgressBar


def lines(line_every_s: float) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=40)
    with ProgressBar(console, "clips", 10, done=4, line_every_s=line_every_s) as bar:
        bar.advance(2, "loss 0.5")
        bar.advance()
        bar.to(12)
    return out.getvalue().splitlines()


def test_a_log_gets_lines_with_the_time_left() -> None:
    first, second, last = lines(line_every_s=0.0)
    assert first.startswith("clips 6/10, ")
    assert first.endswith(" left, loss 0.5")
    assert second.startswith("clips 7/10, ")
    assert last == "clips 10/10, loss 0.5"


def test_a_log_is_not_flooded() -> None:
    assert lines(line_every_s=1000.0) == ["clips 10/10, loss 0.5"]


def test_ended_early_counts_what_was_done() -> None:
    out = io.StringIO()
    with ProgressBar(Console(file=out), "trainings", 9) as bar:
        bar.advance(3)
        bar.end()
    assert out.getvalue() == "trainings 3/3\n"


def test_what_an_earlier_process_did_says_nothing_of_the_speed() -> None:
    out = io.StringIO()
    with ProgressBar(Console(file=out), "steps", 1000, line_every_s=0.0) as bar:
        bar.found(900)
        bar.to(900)
        bar.to(950)
        bar.to(1000)
        bar.to(1000)
    first, second, *rest = out.getvalue().splitlines()
    assert first == "steps 900/1000"
    assert "left" in second
    assert rest[0] == "steps 1000/1000"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.25, "4.2 s"),
        (42.4, "42 s"),
        (59.99, "59 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 05 min"),
        (float("inf"), "–"),
    ],
)
def test_durations(seconds: int | float, text: str) -> None:
    assert duration(seconds) == text
