"""A small table on the embedded corpus, and its cells run in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiment_factory import EMBEDDED

from slr_ray.experiment.opener import Opener
from slr_ray.records.sweeps import SweepFolder
from slr_ray.sweeps.plan import Sweep
from slr_ray.sweeps.run import begin
from slr_ray.sweeps.table_file import check_table
from slr_ray.workers.place import this_place
from slr_ray.workers.run_options import RunOptions

TABLE: dict[str, Any] = {
    "name": "tiny",
    "title": "A tiny table",
    "base": {
        "data": EMBEDDED,
        "pool": {"kind": "fraction", "of": "corpus"},
        "model": {"width": 16, "num_heads": 2, "num_stages": 1, "num_convolutions": 1},
        "training": {"num_epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "max_frames": 8},
    },
    "grid": {"pool.fraction": {"title": "labelled", "values": [0.1, 0.5]}},
    "settings": [
        {"name": "fsl", "title": "FSL", "config": {"method": {"kind": "supervised"}}},
        {
            "name": "fsl_equal_steps",
            "title": "FSL, equal steps",
            "config": {"method": {"kind": "supervised"}},
            "equal_steps_to": "sslr",
        },
        {
            "name": "sslr",
            "title": "SSLR",
            "config": {
                "method": {
                    "kind": "sslr",
                    "num_rounds": 1,
                    "selection": {"kind": "top_per_gloss", "num_clips": 2, "confidence": 0.0},
                }
            },
        },
        {
            "name": "neighbours",
            "title": "Nearest neighbour",
            "config": {"method": {"kind": "supervised"}, "pool": {"kind": "all"}},
            "axes": [],
            "measure": {"kind": "neighbours"},
        },
    ],
    "columns": "pool.fraction",
    "figures": ["accuracy", "balanced_accuracy"],
    "seeds": 2,
    "compare": [
        {
            "of": {"setting": "sslr"},
            "against": {"setting": "fsl"},
            "published": "more than 10 points",
        }
    ],
    "published": {
        "source": "a paper, table 1",
        "figures": [
            {"at": {"setting": "sslr", "pool.fraction": 0.5}, "figure": "accuracy", "value": 0.875}
        ],
    },
    "same": ["The corpus is made up."],
    "different": ["Everything else."],
}


def new_sweep(
    storage: Path,
    table: Mapping[str, Any] = TABLE,
    overrides: Mapping[str, Any] | None = None,
    *,
    name: str = "tiny",
    corpora: Sequence[Mapping[str, Any]] = ({},),
    seeds: int = 2,
    folds: int | None = None,
) -> Sweep:
    opener = Opener()
    return Sweep(
        folder=SweepFolder(str(storage / name)),
        checked=check_table(table, "tiny.yaml", overrides or {}, opener),
        corpora=corpora,
        seeds=range(seeds),
        num_folds=folds,
        options=RunOptions(),
        command=["python", "-m", "slr_ray.sweep"],
        opener=opener,
    )


def run_here(sweep: Sweep) -> None:
    """What Ray would do, one cell after the other."""
    begin(sweep)
    for cell in sweep.plan.to_do:
        cell.run(this_place(), lambda _: None)
