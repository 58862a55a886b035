"""A run around the work on Ray: checked and printed before, gone on with, told of after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from slr_ray.errors import UserError
from slr_ray.methods.experiment import open_corpus, open_split
from slr_ray.search.job import Job
from slr_ray.search.run_options import RunOptions
from slr_ray.search.run_record import Run, begin, check_data, load_run_record, resumed
from slr_ray.search.space_file import check_space
from slr_ray.search.trial import TrialTask
from slr_ray.training.devices import this_place

SPACE: dict[str, Any] = {
    "name": "tiny",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "hidden": 16, "num_encoder_layers": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "max_frames": 8},
    "method": {"kind": "sslr", "num_rounds": {"int": [1, 2]}},
    "search": {"num_samples": 2, "search_seeds": [0], "final_seeds": [0]},
}


def new_run(folder: Path, overrides: Mapping[str, Any] | None = None, **changes: Any) -> Run:
    space = check_space({**SPACE, **changes}, "tiny.yaml", overrides or {})
    return Run(str(folder / "run"), space, RunOptions(), ["python", "-m", "slr_ray.tune"])


def write_split(path: Path, names: tuple[str, ...]) -> None:
    corpus = open_corpus(new_run(path.parent).base().data)
    ids = corpus.clip_ids.to_pylist()
    rows = [f"{ids[row]},{names[signer]}" for row, signer in enumerate(corpus.signer_index)]
    path.write_text("\n".join(["clip_id,split", *rows]))
    open_split.cache_clear()


def test_a_run_goes_on_from_anywhere_but_not_with_another_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_split(tmp_path / "split.csv", ("training",) * 6 + ("validation", "test"))
    run = new_run(tmp_path, split={"kind": "file", "path": "split.csv"})
    begin(run, check_data(run))

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = resumed(run.location, {}, run.command)
    assert begin(again, check_data(again)).split == load_run_record(run.location).split

    write_split(tmp_path / "split.csv", ("training",) * 6 + ("test", "validation"))
    with pytest.raises(UserError, match="the split changed"):
        begin(again, check_data(again))


def test_an_error_of_an_earlier_try_is_not_told_again(tmp_path: Path) -> None:
    job = Job(str(tmp_path), "balanced_accuracy", (0,), 1)
    space = check_space(SPACE, "tiny.yaml", {"search.seed": 0})
    broken = {**space.default_tree(), "pool": {"kind": "signers", "num_signers": 99}}
    with pytest.raises(UserError):
        TrialTask(job, 0, broken, {}, "searched").run(this_place(), lambda _: None)
    assert job.store.exists("trials/0000/error.json")
    TrialTask(job, 0, space.default_tree(), {}, "searched").run(this_place(), lambda _: None)
    assert not job.store.exists("trials/0000/error.json")
