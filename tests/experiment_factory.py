"""Small experiments on a small embedded corpus, for trainings of a second."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from slr_ray.config import merge
from slr_ray.corpora.corpus import Corpus
from slr_ray.experiment.experiment import Experiment, build_experiment
from slr_ray.experiment.opener import Opener
from slr_ray.experiment.prepared import Prepared
from slr_ray.methods.pretraining import pretraining_task
from slr_ray.methods.seed_run import SeedRun, prepare_seed
from slr_ray.poses.shard_writing import write_shard
from slr_ray.records.run_folder import RunFolder
from slr_ray.records.stages import Checkpoint, StageStore
from slr_ray.search.search_run import SearchRun
from slr_ray.search.spaces.space_file import check_space
from slr_ray.search.summary import print_plan
from slr_ray.storage import Store
from slr_ray.training.pretraining.loop import PretrainedEncoder, pretrain
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

EMBEDDED = {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1}
SMALL = (
    "model.width=16",
    "model.num_heads=2",
    "model.num_stages=1",
    "model.num_convolutions=1",
    "training.num_epochs=1",
    "training.steps_per_epoch=2",
    "training.batch_size=16",
    "training.max_frames=8",
    "method.num_rounds=1",
)


SPACE: dict[str, Any] = {
    "name": "tiny",
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
    "training": {"num_epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "max_frames": 8},
    "method": {"kind": "sslr", "num_rounds": {"int": [1, 2]}},
    "search": {"num_trials": 2, "search_seeds": [0], "final_seeds": [0]},
}


def new_run(folder: Path, overrides: Mapping[str, Any] | None = None, **changes: Any) -> SearchRun:
    space = check_space({**SPACE, **changes}, "tiny.yaml", overrides or {})
    command = ["python", "-m", "slr_ray.tune"]
    return SearchRun(RunFolder(str(folder / "run")), space, RunOptions(), command)


TINY: dict[str, Any] = {
    "data": {"kind": "embedded", "num_glosses": 4, "num_signers": 8, "seed": 1},
    "pool": {"kind": "fraction", "fraction": 0.1},
    "model": {
        "kind": "pose_transformer",
        "width": 16,
        "num_heads": 2,
        "num_layers": 1,
        "hidden": 16,
    },
    "training": {"num_epochs": 2, "steps_per_epoch": 3, "batch_size": 16, "max_frames": 8},
    "initialisation": {
        "kind": "pretraining",
        "objective": {"kind": "sl_fpn", "projector_hidden": 16, "embedding_width": 8},
        "batch_size": 32,
        "num_epochs": 3,
        "collapse_threshold": 0.0,
        "optimiser": {"kind": "adamw"},
    },
    "method": {"kind": "sslr", "num_rounds": 1},
}


def tiny(**changes: Any) -> Experiment:
    return build_experiment(merge(TINY, changes), "test")


def opened(config: Experiment) -> Prepared:
    return Opener().prepare(config)


def seed_run(config: Experiment, folder: Path, seed: int = 0) -> SeedRun:
    """With its stages in `folder`."""
    return prepare_seed(opened(config), seed, StageStore(Store(str(folder))), this_place())


def trained(config: Experiment, checkpoint: Checkpoint | None = None) -> PretrainedEncoder:
    return pretrain(pretraining_task(opened(config), 0), this_place(), checkpoint=checkpoint)


def plan(run: SearchRun) -> str:
    console = Console(file=StringIO(), width=200)
    print_plan(run, console, with_estimate=False)
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """On one line: a narrow terminal breaks lines anywhere."""
    return " ".join(capsys.readouterr().out.split())


def write_shards(path: Path, corpus: Corpus, clips: list[int]) -> None:
    write_shard(path, [corpus.clip(one) for one in clips], {"extractor": "embedded"})
