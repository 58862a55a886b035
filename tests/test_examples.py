"""Every example runs as it stands."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import record_factory

_EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.parametrize("name", ["selection_rule", "objective", "arm"])
def test_it_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(_EXAMPLES / f"{name}.py"), run_name="__main__")
    told = capsys.readouterr().out
    # Of few test clips all may be right.
    words = {
        "selection_rule": "round 2: ",
        "objective": "epoch 2: ",
        "arm": r"accuracy (0\.\d|1\.0)",
    }
    assert re.search(words[name], told)


def test_a_run_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record_factory.write_run(str(tmp_path), record_factory.WIN)
    monkeypatch.setattr(sys, "argv", ["read_run.py", str(tmp_path)])
    runpy.run_path(str(_EXAMPLES / "read_run.py"), run_name="__main__")
    told = capsys.readouterr().out
    assert "24 trials, Finished" in told
    assert "Best trial: test accuracy 0.690 over 5 seeds" in told


def _cells() -> list[str]:
    notebook = json.loads((_EXAMPLES / "video_to_prediction.ipynb").read_text())
    return ["".join(one["source"]) for one in notebook["cells"] if one["cell_type"] == "code"]


@pytest.mark.real_data
@pytest.mark.usefixtures("bundles")
def test_the_notebook_goes_from_a_video_to_a_prediction(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    video = min((real_data / "videos").rglob("*.mp4"), key=lambda one: one.stat().st_size)
    small = {"training.num_epochs": 1, "training.steps_per_epoch": 2, "method.num_rounds": 1}
    changed = {"video.mp4": str(video), "settings = {}": f"settings = {small!r}"}
    names: dict[str, Any] = {}
    for cell in _cells():
        code = cell
        for given, instead in changed.items():
            code = code.replace(given, instead)
        exec(code, names)
    assert len(names["prediction"].top) == 3
    assert names["clip"].num_frames > 10
