"""Square brackets in other people's paths, clip ids and glosses: printed, not read as markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from experiment_factory import EMBEDDED, SMALL, printed
from sweep_factory import TABLE

from slr_ray.corpora.data import open_data
from slr_ray.evaluation.perturbations import CLEAN
from slr_ray.experiment.experiment import build_experiment
from slr_ray.poses.shard_writing import write_shard
from slr_ray.predict import predict
from slr_ray.pretrain import pretrain
from slr_ray.robustness import robustness
from slr_ray.sweep import sweep
from slr_ray.train import train
from slr_ray.tune import tune


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Of glosses one of which ends markup that nobody began, as `predict` would have it."""
    corpus = open_data(build_experiment({"data": EMBEDDED}, "test").data)
    glosses = dict(zip(corpus.glosses, ("[/x]", "IX[a]", "[red]", "car:car:"), strict=True))
    clips = [
        replace(one, clip_id=f"{row} [dq{row}].mp4", gloss=glosses[one.gloss])
        for row, one in enumerate(map(corpus.clip, range(corpus.num_clips)))
        if one.gloss is not None
    ]
    path = tmp_path / "[in]/[draft] poses.parquet"
    path.parent.mkdir()
    write_shard(path, clips, {"extractor": "embedded"})
    return path


def _checkpoint(shards: Path, tmp_path: Path) -> Path:
    out = tmp_path / "[out]/[wip] a"
    train([*SMALL], data=str(shards), out=str(out), num_threads=1)
    return out / "seed_0/checkpoint.pt"


def test_a_training(shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = _checkpoint(shards, tmp_path)
    assert checkpoint.exists()
    told = printed(capsys)
    assert told.startswith("[draft] poses: ")
    assert told.endswith(f"checkpoint: {checkpoint}")


def test_what_reads_a_checkpoint(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = str(_checkpoint(shards, tmp_path))
    found = tmp_path / "[out]/[found]"
    none = [f"{kind}=[]" for kind in CLEAN if kind != "mirror"]
    robustness(checkpoint, none, out=str(found), num_threads=1)
    assert f"report: {found / 'report.html'}" in printed(capsys)

    predict([str(shards)], checkpoint=checkpoint)
    told = printed(capsys)
    assert "0 [dq0].mp4 " in told
    assert all(f" {gloss} 0." in told for gloss in ("[/x]", "IX[a]", "[red]", "car:car:"))


def test_a_pre_training(shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "[out]"
    few = ["initialisation.num_steps=2", "initialisation.batch_size=16", "model.width=16"]
    pretrain(few, data=str(shards), out=str(out), num_threads=1)
    told = printed(capsys)
    assert " of [draft] poses)" in told
    assert told.endswith(f"encoder: {out / 'encoder.pt'}")


def _tune(shards: Path, storage: Path) -> None:
    settings = [one for one in SMALL if "rounds" not in one]
    tune(settings, space="sslr_thresholds", data=str(shards), storage=str(storage), dry_run=True)


def _sweep(shards: Path, storage: Path) -> None:
    table = storage / "[mine].yaml"
    table.write_text(yaml.safe_dump(TABLE))
    sweep([str(table)], data=[str(shards)], storage=str(storage), dry_run=True)


@pytest.mark.parametrize("plan", [_tune, _sweep])
def test_the_plan_of_many(
    plan: Callable[..., Any], shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        plan(shards, tmp_path)
    assert ended.value.code == 0
    assert " on [draft] poses: " in printed(capsys)
