"""What Ray makes of a GPU: fractions of it for trials, and a worker of Ray Train."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu.check import Finding, Skipped
from benchmarks.gpu.setting import Setting
from slr_ray.records.log import read_log
from slr_ray.records.run_folder import RunFolder


def fractional(setting: Setting) -> Iterator[Finding]:
    """Two trials of a search at the same time, each with half of the GPU (or of a processor)."""
    _needs("ray", "optuna", "typer")
    half = "--trial-gpus" if setting.device == "cuda" else "--trial-cpus"
    overrides = {
        **_short(setting),
        "method.num_rounds": 1,
        "search.search_seeds": "[0]",
    }
    with tempfile.TemporaryDirectory() as folder:
        options = ["--space", "sslr_thresholds", half, "0.5", "--num-trials", "2"]
        options += ["--max-concurrent", "2", "--seeds", "1", "--storage", folder]
        problem = _problem("slr_ray.tune", options, overrides)
        if problem is not None:
            yield problem
            return
        (run,) = Path(folder).iterdir()
        events = read_log(RunFolder(str(run)))
    starts, ends = (
        {one.trial: one for one in events if one.event == name}
        for name in ("trial_started", "trial_complete")
    )
    yield Finding(f"{len(ends)} of 2 trials complete", len(ends) != 2)
    together = min(one.time for one in ends.values()) - max(one.time for one in starts.values())
    yield Finding(
        f"both at work for {together.total_seconds():.1f} s of "
        f"{max((ends[one].time - starts[one].time).total_seconds() for one in ends):.1f} s",
        together.total_seconds() <= 0,
    )


def ray_train(setting: Setting) -> Iterator[Finding]:
    """The command `train` on a cluster of this machine, its worker with the whole GPU."""
    _needs("ray", "typer")
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        options = ["--workers", "1", "--address", ray.get_runtime_context().gcs_address]
        options += ["--out", folder, "--shared-storage"]
        if setting.device == "cuda":
            options += ["--gpus-per-worker", "1"]
        overrides = {**_short(setting), "method.kind": "supervised"}
        problem = _problem("slr_ray.train", options, overrides)
        written = sorted(str(one.relative_to(folder)) for one in Path(folder).glob("seed_0/*"))
    yield problem or Finding(f"wrote {', '.join(written)}", "seed_0/record.json" not in written)


def _needs(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed")


def _short(setting: Setting) -> dict[str, Any]:
    return {
        "training.num_epochs": 1,
        "training.steps_per_epoch": setting.choose(25, 20),
        **setting.choose({}, {"model.width": 16, "training.max_frames": 8}),
    }


def _problem(command: str, options: list[str], overrides: Mapping[str, Any]) -> Finding | None:
    settings = [f"{name}={value}" for name, value in overrides.items()]
    done = subprocess.run(
        [sys.executable, "-m", command, *options, *settings], capture_output=True, text=True
    )
    if not done.returncode:
        return None
    return Finding(f"{command} ended with {done.returncode}: {done.stderr[-500:]}", True)
