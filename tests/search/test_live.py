"""What is printed of a run in a log, line by line."""

from __future__ import annotations

import io

from rich.console import Console

from slr_ray.search.live import LiveView


def test_an_arm_that_failed_is_not_done() -> None:
    out = io.StringIO()
    view = LiveView(Console(file=out, width=40), "accuracy", 1, 3)
    view.arm_ended("fsl", 0, "node:1", None)
    view.arm_ended("sslr_best", 0, None, "RuntimeError: loss is not finite")
    view.arm_ended("sslr_best", 1, None, None)
    assert out.getvalue().splitlines() == [
        "fsl seed 0 done [1/3]",
        "sslr_best seed 0 failed: RuntimeError: loss is not finite [2/3]",
    ]
