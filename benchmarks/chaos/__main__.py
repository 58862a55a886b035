"""Searches on S3, as an emulator plays it, to which something happens at random moments.

    python -m benchmarks.chaos [--repetitions 20] [--faults driver trial refusing hanging]
        [--at-once 2]

An undisturbed search comes first. Then each repetition starts the same one, and lets things happen
at moments drawn from the time that the first one took; whenever the driver is gone, `--resume` goes
on, every second time without what its machine kept. In the end each trial must have ended once, no
record may have changed, and parameters, values and the final comparison must be those of the
undisturbed search: one trial at a time, and with `--at-once` in parallel and `--deterministic`.

Needs moto: `pip install -e '.[clouds]'`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.chaos.emulators import Cloud, cloud
from benchmarks.chaos.faults import FAULTS
from benchmarks.tiny_space import TINY_SPACE
from slr_ray.config import merge
from slr_ray.records.run_folder import ResultFolder, RunFolder, TrialFolder
from slr_ray.storage import Store

_SPACE = merge(
    TINY_SPACE,
    {
        "name": "chaos",
        "training": {"num_epochs": 2, "batch_size": 16},
        "method": {
            "kind": "sslr",
            "num_rounds": {"int": [1, 3]},
            "selection": {"kind": "top_per_gloss", "num_clips": {"int": [2, 9]}},
        },
        "default": {"method": {"num_rounds": 2}},
    },
)


@dataclass(frozen=True)
class Outcome:
    """What must be the same however often a search was disturbed."""

    trials: dict[int, tuple[str, float | None, dict[str, Any]]]
    arms: dict[str, float]


@dataclass
class Search:
    """One search behind a URI of its own, gone on with until it ends."""

    there: Cloud
    folder: Path
    name: str
    options: list[str]

    def start(self) -> subprocess.Popen[bytes]:
        """The command, new or going on; its lines go to a log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        run = self.run()
        storage = ["--storage", self.there.uri(self.name), "--space", str(self.folder / "s.yaml")]
        again = [] if run is None else ["--resume", self.there.uri(f"{self.name}/{run.name}")]
        # What a run resumes with, it has.
        given = [*storage, *self.options] if run is None else again
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "slr_ray.tune", *given],
                env=os.environ | {"SLR_RAY_CACHE": str(self.folder / "cache")},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self) -> RunFolder | None:
        names = Store(self.there.uri(self.name)).names(suffix="/run.json")
        found = [one.split("/")[-2] for one in names]
        return RunFolder(self.there.uri(f"{self.name}/{found[0]}")) if found else None

    def is_finished(self) -> bool:
        run = self.run()
        return run is not None and run.read_run().finished is not None

    def records(self) -> dict[str, bytes]:
        run = self.run()
        names = [] if run is None else run.store.names("trials", suffix="/record.json")
        return {one: run.store.read_bytes(one) for one in names} if run is not None else {}

    def outcome(self) -> Outcome:
        """`ValueError` where a trial was told twice, or not at all."""
        run = self.run()
        if run is None:
            raise ValueError("there is no run")
        trials = {one.number: one for one in map(TrialFolder.trial, run.trials())}
        told = [one for one in run.read_journal().splitlines() if b'"op_code":6' in one]
        ends = sum(b'"state":0' not in one for one in told)
        if ends != len(trials):
            raise ValueError(f"{ends} trials were told, {len(trials)} have records")
        arms = map(ResultFolder.arm, run.arms())
        return Outcome(
            {number: (one.status, one.value, one.params) for number, one in trials.items()},
            {f"{one.arm} {one.seed}": one.test.loss for one in arms},
        )


def disturbed(search: Search, faults: Sequence[str], took_s: float, draws: random.Random) -> str:
    """Let things happen to a search, and go on until it ends; what is wrong, or nothing."""
    process, kept = search.start(), search.records()
    for count, name in enumerate(draws.sample(list(faults), len(faults))):
        time.sleep(draws.uniform(0.2, 1.0) * took_s / len(faults))
        FAULTS[name](process, search.there.line, draws)
        now = search.records()
        if any(now.get(one) != content for one, content in kept.items()):
            return f"a record changed after {name}"
        kept = now
        if search.is_finished():
            # Before the moments were over; a kill while the report is drawn takes no result.
            process.wait()
            return ""
        if process.poll() is not None:
            if count % 2:
                shutil.rmtree(search.folder / "cache" / "journals", ignore_errors=True)
            process = search.start()
    if process.wait() != 0:
        return f"ended with status {process.returncode}"
    return ""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--faults", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--num-trials", type=int, default=8)
    parser.add_argument("--steps-per-epoch", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=1)
    given = parser.parse_args(arguments)
    space = merge(_SPACE, {"training": {"steps_per_epoch": given.steps_per_epoch}})
    at_once = ["--max-concurrent", str(given.at_once)]
    options = ["--num-trials", str(given.num_trials), "--seeds", "1", *at_once]
    if given.at_once > 1:
        options.append("--deterministic")
    with tempfile.TemporaryDirectory() as folder, cloud("s3", Path(folder)) as there:

        def new(name: str) -> Search:
            made = Search(there, Path(folder) / name, name, options)
            made.folder.mkdir()
            (made.folder / "s.yaml").write_text(yaml.safe_dump(space))
            return made

        undisturbed, begun = new("undisturbed"), time.monotonic()
        if undisturbed.start().wait() != 0:
            raise SystemExit((undisturbed.folder / "log").read_text())
        took_s = time.monotonic() - begun
        expected, num_same = undisturbed.outcome(), 0
        print(f"undisturbed: {len(expected.trials)} trials in {took_s:.0f} s", flush=True)
        for repetition in range(given.repetitions):
            search, begun = new(f"disturbed-{repetition}"), time.monotonic()
            draws = random.Random(repetition)
            problem = disturbed(search, given.faults, took_s, draws)
            try:
                found = search.outcome()
                problem = problem or ("" if found == expected else "other results")
            except ValueError as error:
                problem = problem or str(error)
            num_same += not problem
            starts = len(list(search.run().store.names("attempts"))) if search.run() else 0  # type: ignore[union-attr]
            told = f"{starts} starts, {time.monotonic() - begun:.0f} s: {problem or 'the same'}"
            print(f"repetition {repetition}: {told}", flush=True)
            if problem:
                print((search.folder / "log").read_text(), flush=True)
    print(f"ratio: {num_same / given.repetitions:.2f}")


if __name__ == "__main__":
    main()
