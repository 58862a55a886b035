"""What a trial costs beside its training: near-empty trials, in a local folder and on S3.

    python -m benchmarks.bookkeeping [--num-trials 1000] [--num-s3-trials 50]

Each trial is one gradient step of a tiny model. Locally the whole search is timed, what trials
trained is taken away, and the driver's memory is read while it runs. On S3, as an emulator plays
it, requests and bytes are counted: those of a longer search less those of a shorter one, so that
what a run does once is not in them. The last line is the seconds a trial on local storage over
the goal of 0.03.

S3 needs moto: `pip install -e '.[clouds]'`; without it that part is skipped, by name.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import yaml

from benchmarks.chaos.emulators import MissingServer, cloud
from benchmarks.tiny_space import TINY_SPACE
from slr_ray.config import merge
from slr_ray.records.log import read_log
from slr_ray.records.run_folder import RunFolder, TrialFolder

_GOAL_S = 0.03
_FEW_TRIALS = 10
_SETTLED = 50
"""Trials after which the driver has loaded what it needs."""
_SPACE = merge(
    TINY_SPACE,
    {
        "name": "bookkeeping",
        "training": {"num_epochs": 1, "steps_per_epoch": 1, "batch_size": 4},
        "method": {"kind": "supervised"},
        "search": {"scheduler": {"kind": "none"}, "search_seeds": [0]},
    },
)


def command(folder: Path, storage: str, num_trials: int) -> subprocess.Popen[bytes]:
    """The search, one trial at a time."""
    (folder / "space.yaml").write_text(yaml.safe_dump(_SPACE))
    options = ["--space", str(folder / "space.yaml"), "--storage", storage, "--seeds", "1"]
    options += ["--num-trials", str(num_trials), "--max-concurrent", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "slr_ray.tune", *options],
        env=os.environ | {"SLR_RAY_CACHE": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
    )


def local(num_trials: int) -> float:
    """Seconds a trial beside its training; prints them, and the driver's memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = command(folder, str(folder / "runs"), num_trials)
        samples = []
        while process.poll() is None:
            ended = len(list(folder.glob("runs/*/trials/*/record.json")))
            if ended:
                samples.append((ended, _resident_kib(process.pid)))
            if ended == num_trials:
                break
            time.sleep(1)
        if process.wait():
            raise SystemExit(f"the search ended with status {process.returncode}")
        (run,) = (RunFolder(str(one)) for one in folder.glob("runs/*"))
        times = [one.time for one in read_log(run) if one.trial is not None]
        wall_s = (times[-1] - times[0]).total_seconds()
        records = [TrialFolder.trial(one) for one in run.trials()]
        own_s = sum(one.training_s for one in records)
        in_process_s = sum(one.wall_s for one in records)
    beside_s = (wall_s - own_s) / num_trials
    print(
        f"local: {num_trials} trials in {wall_s:.0f} s, {wall_s / num_trials:.3f} s each, of which "
        f"{own_s / num_trials:.3f} s trained: {beside_s:.3f} s beside it, "
        f"{(in_process_s - own_s) / num_trials:.3f} s of them in the trial's process (model, "
        "optimiser, stage, records), the rest in the driver"
    )
    ended, resident = np.array([one for one in samples if one[0] >= _SETTLED]).T
    growth = np.polyfit(ended, resident, 1)[0]
    first, last = resident[[0, -1]] / 1024
    print(f"driver: {first:.0f} to {last:.0f} MiB, {growth:.0f} KiB a trial")
    return beside_s


def on_s3(num_trials: int) -> None:
    """Prints requests and bytes a trial."""
    counts = [_asked(one) for one in (_FEW_TRIALS, _FEW_TRIALS + num_trials)]
    more = {name: counts[1][name] - counts[0][name] for name in counts[1]}
    each = {name: count / num_trials for name, count in more.items()}
    sent = each.pop("bytes")
    kinds = ", ".join(f"{one:.1f} {name}" for name, one in sorted(each.items()))
    print(f"S3: {sum(each.values()):.1f} requests a trial ({kinds}), {sent / 1024:.0f} KiB")


def _asked(num_trials: int) -> Counter[str]:
    """Requests by method, and bytes, of a whole search."""
    with tempfile.TemporaryDirectory() as name, cloud("s3", Path(name)) as there:
        if command(Path(name), there.uri("runs"), num_trials).wait():
            raise SystemExit("the search on S3 failed")
        methods = Counter(one.split()[0] for one in there.line.requests)
        return methods + Counter({"bytes": there.line.passed_bytes})


def _resident_kib(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (found,) = (one.split()[1] for one in lines if one.startswith("VmRSS"))
    return int(found)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--num-trials", type=int, default=1000)
    parser.add_argument("--num-s3-trials", type=int, default=50, help="0 = leave S3 out")
    given = parser.parse_args(arguments)
    if given.num_trials <= _SETTLED:
        parser.error(f"--num-trials {given.num_trials}: memory is read after the first {_SETTLED}")
    beside_s = local(given.num_trials)
    if given.num_s3_trials:
        try:
            on_s3(given.num_s3_trials)
        except MissingServer as missing:
            print(f"S3: skipped, {missing} is not installed")
    print(f"ratio: {beside_s / _GOAL_S:.2f}")


if __name__ == "__main__":
    main()
