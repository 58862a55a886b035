"""Small searches with Ray's part played in this process, to be crashed and compared.

A crash is an exception that nothing survives: what was not written is lost.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

import pytest

from slr_ray.records.run_folder import ResultFolder, RunFolder
from slr_ray.storage import Store
from slr_ray.tune import main

CHANGES = {
    "data": {"kind": "embedded", "num_glosses": 2, "num_signers": 6, "seed": 1},
    "model": {"width": 8, "num_heads": 1, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 1, "batch_size": 4, "max_frames": 4},
    "method": {
        "kind": "sslr",
        "num_rounds": {"int": [1, 2]},
        "selection": {"kind": "top_per_gloss", "num_clips": {"int": [1, 9]}},
    },
    "search": {"num_trials": 4, "search_seeds": [0], "final_seeds": [0]},
}
Result = tuple[dict[int, tuple[str, float | None, dict[str, Any]]], dict[str, float]]


class Failing(Protocol):
    """Of the fixture that makes writes fail."""

    def __call__(self, num_writes: int, error: BaseException, num_failing: int = 10**6) -> None: ...


class Crash(BaseException):
    """As a SIGKILL: nobody handles it."""


def tune(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tune", *arguments, "--max-concurrent", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def only_run(storage: str) -> RunFolder:
    (name,) = {one.split("/")[0] for one in Store(storage).names() if one.endswith("/run.json")}
    return RunFolder(Store(storage).join(name).location)


def result(run: RunFolder) -> Result:
    """Every trial's end and what the final comparison measured; each trial was told once."""
    trials = {}
    for folder in run.trials():
        record = folder.trial()
        trials[record.number] = (record.status, record.value, record.params)
    told = [one for one in run.read_journal().decode().splitlines() if '"op_code":6' in one]
    ends = [one for one in told if '"state":0' not in one]
    assert len(ends) == len(trials)
    arms = {f"{one.arm} {one.seed}": one.test.loss for one in map(ResultFolder.arm, run.arms())}
    return trials, arms
