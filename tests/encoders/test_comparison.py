"""The comparison of objectives: one record an encoder, made once, and a document of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from slr_ray.compare import compare
from slr_ray.config import merge
from slr_ray.encoders.compare import ObjectiveComparison
from slr_ray.errors import ConfigError
from slr_ray.evaluation.people import SignerCounts
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.experiment.opener import Opener
from slr_ray.workers.place import this_place

TREE: dict[str, Any] = {
    "preset": "ssl_slr_small",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "all"},
    "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
    "training": {"max_frames": 8},
    "initialisation": {"kind": "pretraining", "num_steps": 2, "batch_size": 16},
}


def comparison(folder: Path, **changes: Any) -> ObjectiveComparison:
    settings: dict[str, Any] = {
        "tree": TREE,
        "objectives": ("sl_fpn", "simclr"),
        "augmentations": ("boundary",),
        "seeds": (0, 1),
        "location": str(folder),
        **changes,
    }
    return ObjectiveComparison(**settings)


def test_every_encoder_shares_all_but_what_is_compared(tmp_path: Path) -> None:
    given = comparison(tmp_path, augmentations=("boundary", "standard"))
    tasks = given.tasks()
    assert [(one.seed, one.objective, one.augmentation) for one in tasks[:4]] == [
        (0, "sl_fpn", "boundary"),
        (0, "sl_fpn", "standard"),
        (0, "simclr", "boundary"),
        (0, "simclr", "standard"),
    ]
    for task in tasks:
        section = task.config.initialisation
        # What is given of the pre-training must survive the merge with an objective.
        assert (section.num_steps, section.batch_size) == (2, 16)
    with pytest.raises(ConfigError, match="simclear"):
        comparison(tmp_path, objectives=("simclear",)).tasks()


def with_initialisation(
    folder: Path, section: dict[str, Any], **changes: Any
) -> ObjectiveComparison:
    given = merge(TREE, {"initialisation": {"kind": "pretraining", **section}})
    return comparison(folder, tree=given, augmentations=("boundary", "standard"), **changes)


def test_an_override_is_for_the_kinds_that_have_its_field(tmp_path: Path) -> None:
    section: dict[str, Any] = {
        "objective": {"embedding_width": 24, "temperature": 0.2},
        "augmentation": {"head_fraction": 0.11, "noise_std": 0.02},
    }
    for task in with_initialisation(tmp_path, section).tasks():
        own = task.config.initialisation
        assert own.objective.embedding_width == 24
        assert own.augmentation.noise_std == 0.02
        if task.objective == "simclr":
            assert own.objective.temperature == 0.2
        if task.augmentation == "boundary":
            assert own.augmentation.head_fraction == 0.11
    # With its kind beside it, it is for that one alone.
    section = {"augmentation": {"kind": "standard", "noise_std": 0.02}}
    for task in with_initialisation(tmp_path, section).tasks():
        wanted = 0.02 if task.augmentation == "standard" else 0.0
        assert task.config.initialisation.augmentation.noise_std == wanted


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"objective": {"nonsense": 3}}, r"objective\.nonsense: no such field in sl_fpn, simclr"),
        ({"objective": {"momentum": 0.9}}, r"objective\.momentum: no such field"),
        ({"objective": {"kind": "byol"}}, r"objective\.kind is 'byol', which is not compared"),
        ({"augmentation": {"head_fraction": 2}}, r"augmentation\.head_fraction"),
        ({"augmentation": 3}, r"initialisation\.augmentation: a section"),
    ],
)
def test_an_override_for_no_kind_is_refused(
    section: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        with_initialisation(tmp_path, section).tasks()


def test_a_task_leaves_encoder_and_record_and_is_done_once(tmp_path: Path) -> None:
    task = comparison(tmp_path).tasks()[0]
    assert not task.is_done()
    task.run(this_place(), lambda _: None)
    assert task.is_done()
    record = task.result.record()
    assert (record.objective, record.augmentation, record.num_steps) == ("sl_fpn", "boundary", 2)
    assert list(record.classifiers) == ["linear", "mlp", "knn"]
    for name, found in record.classifiers.items():
        assert 0 < found.test.accuracy <= found.test.top5_accuracy <= 1
        counts = SignerCounts.of(task.result.predictions(name))
        assert counts.once()["accuracy"] == pytest.approx(found.test.accuracy)
    encoder = load_encoder(tmp_path / task.result.folder / "encoder.pt")
    assert encoder.config.objective.kind == "sl_fpn"
    # The encoder file has replaced the stage.
    assert not list((tmp_path / "stages").glob("*.pt"))
    prepared = Opener().prepare(task.config)
    fresh, poses = (one.record() for one in task.baselines(prepared, this_place()).values())
    assert list(fresh.classifiers) == list(record.classifiers)
    assert list(poses.classifiers) == ["knn"]
    assert fresh.classifiers["knn"] != record.classifiers["knn"]
    # The test set is not touched again.
    before = {one: one.stat().st_mtime_ns for one in (tmp_path / "baselines").rglob("*.*")}
    task.baselines(prepared, this_place())
    assert before == {one: one.stat().st_mtime_ns for one in before}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--objectives", "sl_fpn,simclear"], "simclear"),
        (["--objectives", "byol,byol"], "name each once"),
        (["--augmentations", ""], "--augmentations"),
        (["--labelled-fraction", "0.1", "--labelled-signers", "2"], "not both"),
        (["--trial-gpus", "99"], "this machine has"),
        (["initialisation.batch_size=-1"], "batch_size"),
        (["--folds", "3", "split.fold=1"], "--folds takes every fold"),
        (["--folds", "99"], "take fewer folds"),
    ],
)
def test_a_bad_call_ends_before_work(arguments: list[str], words: str, tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(compare)
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert words in result.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_tree_is_not_changed(tmp_path: Path) -> None:
    before = merge({}, TREE)
    comparison(tmp_path).tasks()
    assert before == TREE


@pytest.mark.ray
def test_the_command_compares_on_ray_and_repeats_nothing(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "slr_ray.compare", "--objectives", "byol"]
    call += ["--augmentations", "boundary", "--seeds", "1", "--folds", "2", "--out", "out"]
    call += ["data.num_glosses=4", "data.num_signers=8", "data.seed=1", "model.width=16"]
    call += ["model.num_layers=1", "initialisation.num_steps=2", "initialisation.batch_size=16"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "SLR_RAY_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "200",
    }

    def run() -> str:
        done = subprocess.run(
            call, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    first = run()
    for name in ("BYOL", "fresh encoder", "normalised poses", "report.html"):
        assert name in first
    files = {one: one.stat().st_mtime_ns for one in (tmp_path / "out/encoders").rglob("*.json")}
    assert len(files) == 2
    assert "Result" in (tmp_path / "out" / "report.md").read_text()
    run()
    assert files == {one: one.stat().st_mtime_ns for one in files}
