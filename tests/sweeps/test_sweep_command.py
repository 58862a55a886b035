"""The command as a user runs it: killed in mid-table and gone on with, with a cell that fails."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path

import pytest
import typer
import yaml
from driver import finished, kill, start, wait_for
from experiment_factory import write_shards
from sweep_factory import TABLE
from typer.testing import CliRunner

from slr_ray.corpora.embedded.corpus import EmbeddedConfig, open_embedded
from slr_ray.records.log import read_log
from slr_ray.records.sweeps import SweepFolder
from slr_ray.sweep import sweep

BREAKS = {
    "name": "breaks",
    "title": "Collapses",
    "axes": [],
    "config": {
        "preset": "ssl_slr_small",
        "pool": {"fraction": 0.5},
        "model": {"kind": "pose_transformer", "width": 16, "num_heads": 2, "num_layers": 1},
        "initialisation": {
            "kind": "pretraining",
            "num_steps": 2,
            "batch_size": 16,
            "collapse_threshold": 1.0,
            "stop_on_collapse": True,
        },
    },
}


def test_a_transfer_goes_from_each_corpus_to_each(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(sweep)
    data = []
    for name, seed in (("a", 1), ("b", 2)):
        corpus = open_embedded(EmbeddedConfig(num_glosses=4, num_signers=8, seed=seed))
        write_shards(tmp_path / f"{name}.parquet", corpus, list(range(0, corpus.num_clips, 2)))
        data += ["--data", str(tmp_path / f"{name}.parquet")]
    few = ["preset=ssl_slr_small", "initialisation.objective.kind=simclr", "--seeds", "1"]
    few += ["initialisation.num_steps=2", "initialisation.batch_size=16", "model.width=16"]
    call = ["--table", "ssl_slr_transfer", *few, "--storage", str(tmp_path / "runs"), "--dry-run"]
    refused = CliRunner().invoke(app, [*call, *data[:2]])
    assert refused.exit_code == 2
    assert "ssl_slr_transfer is from one corpus to another: give --data twice" in refused.output
    done = CliRunner().invoke(app, [*call, *data])
    assert done.exit_code == 0, done.output
    told = done.output.replace("\n", " ")
    assert "on b → a: " in told
    assert "on a → b: " in told
    # Carried over, of its own, fresh and poses, in two blocks and no third.
    assert "8 cells, 8 different ones" in told, told


@pytest.mark.ray
def test_sigkill_in_mid_table_then_resume_and_a_cell_that_fails(tmp_path: Path) -> None:
    table = copy.deepcopy(TABLE)
    table["settings"].append(BREAKS)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(table))
    driver = start(tmp_path, "sweep", "mine.yaml", "--seeds", "1", "--max-concurrent", "1")
    wait_for(tmp_path, driver, "runs/shared/cells/*/record.json")
    kill(driver)
    (run,) = (one for one in (tmp_path / "runs").iterdir() if one.name != "shared")
    records = tmp_path / "runs/shared/cells"
    before = {one: one.stat().st_mtime_ns for one in records.glob("*/record.json")}
    assert 1 <= len(before) < 7

    done = finished(tmp_path, "sweep", "--resume", str(run))
    assert done.returncode == 1, done.stdout + done.stderr
    assert all(one.stat().st_mtime_ns == stamp for one, stamp in before.items())
    assert len(list(records.glob("*/record.json"))) == 7
    ended = Counter(one.arm for one in read_log(SweepFolder(str(run))) if one.event == "arm_ended")
    assert max(ended.values()) == 1
    assert len(ended) >= 7 - len(before)
    assert "hole: embedded/breaks/0: " in done.stdout
    assert "collapsed" in done.stdout
    report = (run / "report.md").read_text()
    assert "embedded/breaks/0" in report
    assert any((run / "tensorboard").iterdir())

    # Another call of the same table finds every cell but the one that failed.
    again = finished(tmp_path, "sweep", "mine.yaml", "--seeds", "1", "--dry-run")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "8 cells, 8 different ones, 7 done already" in again.stdout
    assert "estimate: 1 cells" in again.stdout


@pytest.mark.ray
def test_a_used_up_budget_leaves_named_holes(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TABLE))
    arguments = ("mine.yaml", "--seeds", "1", "--time-budget", "0.000001s")
    done = finished(tmp_path, "sweep", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("hole: ") == 7
    assert "not begun, as the time budget of 0.0 s was used up" in done.stdout
