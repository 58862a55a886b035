"""The benchmarks run, and end with their number."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import (
    ensemble,
    memory,
    pretraining,
    recogniser,
    samplers,
    selection,
    sentence_training,
    sentences,
    training,
)
from benchmarks.gpu.__main__ import CHECKS

_CHECKOUT = Path(__file__).resolve().parents[1]

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
    "ensemble": (
        ensemble.main,
        ["--num-models", "2", "--batch-size", "4", "--num-repeats", "1", "--num-threads", "1"],
    ),
    "recogniser": (recogniser.main, ["--num-steps", "1", "--num-repeats", "1"]),
    "sentences": (
        sentences.main,
        ["--num-sentences", "6", "--num-steps", "12", "--num-glosses", "7", "--num-repeats", "1"],
    ),
    "sentence_training": (
        sentence_training.main,
        ["--num-sentences", "20", "--num-frames", "60"],
    ),
    "samplers": (
        samplers.main,
        ["--num-trials", "2", "--num-searches", "1", "--width", "16", "--steps-per-epoch", "1"],
    ),
    "selection": (selection.main, ["--num-clips", "500", "--num-glosses", "20"]),
    "memory": (memory.main, ["--sizes", "300", "600", "--num-frames", "2"]),
}


@pytest.mark.parametrize("name", _TINY)
def test_last_line_is_the_ratio(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main, arguments = _TINY[name]
    main(arguments)
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"ratio: \d+\.\d+", last)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What it runs may fork, which a process of pytest, with threads, must not."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": f"{_CHECKOUT}:{folder}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def on_gpu(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    given = ("--device", "cpu", "--tiny", "--minutes", "60", "--out", str(folder / "report.md"))
    return python(folder, "-m", "benchmarks.gpu", *given, "--only", *names)


def test_the_script_for_a_gpu_works_without_one(tmp_path: Path) -> None:
    checks = [one for one in CHECKS if one.module != "benchmarks.gpu.through_ray"]
    done = on_gpu(tmp_path, *(one.name for one in checks))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(checks)} checks: {len(checks)} passed" in done.stdout
    report = (tmp_path / "report.md").read_text()
    assert re.findall("^## (.*)", report, re.MULTILINE) == [one.title for one in checks]


@pytest.mark.ray
def test_a_search_and_a_training_reach_the_device_through_ray(tmp_path: Path) -> None:
    done = on_gpu(tmp_path, "fractional", "ray_train")
    assert done.returncode == 0, done.stdout + done.stderr
    report = (tmp_path / "report.md").read_text()
    assert "2 of 2 trials complete" in report
    assert "seed_0/record.json" in report


_BROKEN = """
import os
import time

from benchmarks.gpu.check import Finding, Skipped, within

def agrees(setting):
    yield within("loss", 0.1, 0.2)

def disagrees(setting):
    yield within("loss", 0.3, 0.2)
    yield Finding("and goes on")

def diverges(setting):
    yield within("loss", float("nan"), 0.2)

def raises(setting):
    yield Finding("so far")
    raise ValueError("a reason")

def dies(setting):
    yield Finding("so far")
    os._exit(7)

def hangs(setting):
    yield Finding("so far")
    time.sleep(3600)

def lacks(setting):
    import no_such_package
    yield Finding("never")

def tells(setting):
    yield Finding(f"started by {setting.start}")

def declines(setting):
    raise Skipped("no such card")
    yield
"""

_RUN = """
import sys
from benchmarks.gpu import __main__
from benchmarks.gpu.check import Check

names = sys.argv[2:]
__main__.CHECKS = tuple(Check(one, "broken", one, 1 + 600 * (one != "hangs")) for one in names)
__main__._prepare = lambda setting: None
__main__.main(["--device", "cpu", "--minutes", "60", "--out", sys.argv[1]])
"""


def test_a_check_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(_BROKEN)
    names = ("agrees", "disagrees", "diverges", "raises", "dies", "hangs", "lacks", "declines")
    done = python(tmp_path, "-c", _RUN, str(tmp_path / "report.md"), *names)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "8 checks: 1 passed, 5 failed, 2 skipped" in done.stdout
    ends = done.stdout.splitlines()[-7:]
    assert ends == [
        "disagrees: failed: 1 of 2 findings",
        "diverges: failed: 1 of 1 findings",
        "raises: failed: ValueError: a reason",
        "dies: failed: its process ended (7)",
        "hangs: failed: cut off after 1 s",
        "lacks: skipped: no_such_package is not installed",
        "declines: skipped: no such card",
    ]
    report = (tmp_path / "report.md").read_text()
    # What hangs may be cut off before it says so.
    assert report.count("- so far") >= 2
    assert "- **Problem:** loss: 0.3 (at most 0.2)\n- and goes on" in report


def test_checks_run_where_forks_could_not_use_the_gpu(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(_BROKEN)
    poisoned = "import torch\ntorch.cuda._is_in_bad_fork = lambda: True\n"
    done = python(tmp_path, "-c", poisoned + _RUN, str(tmp_path / "report.md"), "tells")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "started by spawn" in done.stdout
