"""`compare`: objectives and views as a table, one cell an encoder, and every encoder a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from sweep_factory import run_here
from typer.testing import CliRunner

from slr_ray.compare import compare
from slr_ray.config import merge
from slr_ray.documents.markdown import to_markdown
from slr_ray.errors import ConfigError
from slr_ray.evaluation.people import SignerCounts
from slr_ray.experiment.encoder_file import load_encoder
from slr_ray.experiment.experiment import pretraining_of
from slr_ray.records.predictions import pooled
from slr_ray.storage import Store
from slr_ray.sweeps.objectives import ObjectiveComparison, hand_out_encoders
from slr_ray.sweeps.page import document
from slr_ray.sweeps.plan import Sweep
from slr_ray.sweeps.results import load_sweep
from slr_ray.training.pretraining.config import PretrainingConfig
from slr_ray.workers.run_options import RunOptions

TREE: dict[str, Any] = {
    "preset": "ssl_slr_small",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "all"},
    "model": {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16},
    "training": {"max_frames": 8},
    "initialisation": {"num_steps": 2, "batch_size": 16},
}
BOTH = ("boundary", "standard")


def comparison(folder: Path, section: dict[str, Any] | None = None, **changes: Any) -> Sweep:
    settings: dict[str, Any] = {
        "tree": merge(TREE, {"initialisation": section or {}}),
        "objectives": ("sl_fpn", "simclr"),
        "augmentations": ("boundary",),
        "num_seeds": 1,
        "location": str(folder),
        **changes,
    }
    return ObjectiveComparison(**settings).sweep(RunOptions())


def encoders(sweep: Sweep) -> list[PretrainingConfig]:
    return [
        pretraining_of(sweep.plan.cells[one.key].config)
        for one in sweep.plan.entries
        if one.setting == "encoder" and one.key is not None
    ]


def test_every_encoder_shares_all_but_what_is_compared(tmp_path: Path) -> None:
    found = encoders(comparison(tmp_path, augmentations=BOTH, num_seeds=2))
    assert len(found) == 2 * 2 * 2
    for one in found:
        # What is given of the pre-training must survive the merge with an objective.
        assert (one.num_steps, one.batch_size) == (2, 16)
    assert len({(one.objective.kind, one.augmentation.kind) for one in found}) == 4
    with pytest.raises(ConfigError, match="simclear"):
        comparison(tmp_path, objectives=("simclear",))


def test_an_override_is_for_the_kinds_that_have_its_field(tmp_path: Path) -> None:
    section: dict[str, Any] = {
        "objective": {"embedding_width": 24, "temperature": 0.2},
        "augmentation": {"head_fraction": 0.11, "noise_std": 0.02},
    }
    for one in encoders(comparison(tmp_path, section, augmentations=BOTH)):
        assert one.objective.embedding_width == 24
        assert one.augmentation.noise_std == 0.02
        assert getattr(one.objective, "temperature", 0.2) == 0.2
        assert getattr(one.augmentation, "head_fraction", 0.11) == 0.11


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"objective": {"nonsense": 3}}, r"objective\.nonsense: no setting of compare takes it"),
        ({"objective": {"momentum": 0.9}}, r"objective\.momentum: no setting of compare takes it"),
        ({"objective": {"kind": "byol"}}, r"objective\.kind is 'byol', but sl_fpn, simclr are"),
        ({"augmentation": {"head_fraction": 2}}, r"augmentation\.head_fraction"),
        ({"augmentation": 3}, r"initialisation\.augmentation: a section"),
        ({"clips": "all"}, "pre-training would learn from"),
    ],
)
def test_an_override_for_no_kind_is_refused(
    section: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        comparison(tmp_path, section)


def test_folds_are_told_as_one_and_leave_encoders_without_their_people(tmp_path: Path) -> None:
    sweep = comparison(tmp_path, objectives=("simclr",), num_folds=2)
    run_here(sweep)
    store = Store(str(tmp_path))
    hand_out_encoders(sweep, store)
    for entry in sweep.plan.entries:
        if entry.setting != "encoder" or entry.key is None:
            continue
        prepared = sweep.plan.prepared[entry.key]
        path = tmp_path / f"encoders/fold_{entry.fold}/simclr-boundary/0/encoder.pt"
        encoder = load_encoder(path)
        assert encoder.config.objective.kind == "simclr"
        assert not set(encoder.signers) & set(prepared.corpus.signers_of(prepared.split.measured))
        # The encoder file has replaced the stage.
        assert not list((tmp_path / "shared/stages").glob("*.pt"))
        written = path.stat().st_mtime_ns
        hand_out_encoders(sweep, store)
        assert path.stat().st_mtime_ns == written
    result = load_sweep(sweep.folder)
    assert not result.holes
    place = next(one for one in result.places if one.setting == "encoder")
    folders = [sweep.folder.cell(one.key) for one in sweep.plan.entries if one.setting == "encoder"]
    for name in ("linear", "mlp", "knn"):
        # Everybody once: figures are over clips, not means over folds.
        counts = SignerCounts.of(pooled(one.predictions(name) for one in folders))
        once = counts.once()
        assert set(counts.signers) == set(prepared.corpus.signers)
        assert place.values(name)[0] == once["accuracy"]
        assert place.values(f"{name}_balanced")[0] == once["balanced_accuracy"]
        span = place.over_signers(name)
        assert span is not None
        assert span.low <= once["accuracy"] <= span.high
    text = to_markdown(document(result))
    for words in ("fresh encoder", "normalised poses", "SimCLR", "linear, balanced"):
        assert words in text
    poses = next(one for one in result.places if one.setting == "poses")
    assert "knn" in poses.seeds[0].figures
    assert "linear" not in poses.seeds[0].figures


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
    app = typer.Typer()
    app.command()(compare)
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert words in result.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


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
    for name in ("BYOL", "fresh encoder", "normalised poses", "out/report.html"):
        assert name in first
    made = [*(tmp_path / "out/encoders").rglob("*.pt"), *(tmp_path / "out").rglob("record.json")]
    files = {one: one.stat().st_mtime_ns for one in made}
    # Of each fold an encoder; its record, and those of fresh weights and poses.
    assert len(files) == 2 + 2 * 3
    assert "BYOL" in (tmp_path / "out" / "report.md").read_text()
    run()
    assert files == {one: one.stat().st_mtime_ns for one in files}
