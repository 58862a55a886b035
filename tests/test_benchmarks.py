"""The benchmarks run, and end with their number."""

from __future__ import annotations

import re

import pytest

from benchmarks import memory, pretraining, recogniser, selection, training

_TINY = {
    "training": (
        training.main,
        ["--num-clips", "2", "--batch-size", "2", "--num-repeats", "1", "--num-threads", "1"],
    ),
    "pretraining": (
        pretraining.main,
        [
            "--encoder",
            "tiny",
            "--batch-size",
            "8",
            "--max-frames",
            "8",
            "--num-steps",
            "1",
            "--num-repeats",
            "1",
        ],
    ),
    "recogniser": (recogniser.main, ["--num-steps", "1", "--num-repeats", "1"]),
    "selection": (selection.main, ["--num-clips", "500", "--num-glosses", "20"]),
    "memory": (memory.main, ["--sizes", "300", "600", "--num-frames", "2"]),
}


@pytest.mark.parametrize("name", _TINY)
def test_last_line_is_the_ratio(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main, arguments = _TINY[name]
    main(arguments)
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"ratio: \d+\.\d+", last)
