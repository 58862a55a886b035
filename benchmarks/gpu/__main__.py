"""Everything that needs a GPU: checked, measured, and reported within eight minutes on one card.

    python -m benchmarks.gpu [--out reports/DATE-gpu.md]     # or make gpu
    python -m benchmarks.gpu --device cpu --tiny             # does the script itself work?

Each check runs in a process of its own, for at most its own time. One that disagrees, fails or is
cut off is listed and makes the exit status 1; one that this machine can't make, for want of a
package, is skipped by name. Only torch and the packages of `make gpu-wheels` are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.gpu.check import Check, Outcome, forks_work, run
from benchmarks.gpu.report import described, summary, write
from benchmarks.gpu.setting import Setting

CHECKS = (
    Check("machine", "benchmarks.gpu.speed", "The machine", 20),
    Check("processor", "benchmarks.gpu.agreement", "The GPU against the processor", 75),
    Check("precision", "benchmarks.gpu.agreement", "bfloat16 against float32", 50),
    Check("fused", "benchmarks.gpu.agreement", "Fused optimisers", 20),
    Check("norm", "benchmarks.gpu.agreement", "Batch norm over real frames", 20),
    Check("paths", "benchmarks.gpu.paths", "Every way to train, once", 75),
    Check("collectives", "benchmarks.gpu.sharing", "torch.distributed with one rank", 20),
    Check("fractional", "benchmarks.gpu.through_ray", "A search with half a GPU a trial", 90),
    Check("ray_train", "benchmarks.gpu.through_ray", "A worker of Ray Train", 75),
    Check("recorded", "benchmarks.gpu.agreement", "Views and passes as CUDA graphs", 75),
    Check("throughput", "benchmarks.gpu.speed", "Clips a second in training", 60),
    Check("pretraining", "benchmarks.gpu.speed", "Pre-training at SSL-SLR's paper size", 45),
    Check("trials", "benchmarks.gpu.sharing", "Trials on one GPU", 120),
    Check("resident", "benchmarks.gpu.speed", "Clips that lie on the device", 20),
    Check("stacked", "benchmarks.gpu.speed", "Several models in one step", 40),
    Check("compiled", "benchmarks.gpu.agreement", "torch.compile", 100),
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in CHECKS], metavar="CHECK")
    parser.add_argument("--minutes", type=float, default=8.0, help="for all checks together")
    parser.add_argument("--out", type=Path, help="write a report here, in Markdown")
    given = parser.parse_args(arguments)
    setting = Setting(given.device, given.tiny)
    if setting.device == "cpu":
        # The product trains on a GPU where it sees one.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    checks = [one for one in CHECKS if given.only is None or one.name in given.only]
    outcomes = [Outcome(one.name) for one in checks]
    command = shlex.join(["python", "-m", "benchmarks.gpu", *(arguments or sys.argv[1:])])
    ends = time.monotonic() + 60 * given.minutes
    _prepare(setting)
    if not forks_work():
        setting = replace(setting, start="spawn")
    for row, check in enumerate(checks):
        left_s = ends - time.monotonic()
        if left_s > 0:
            print(f"{check.name}: {check.title}", flush=True)
            # Tiny, it is the code that is tried, on a machine that may be busy.
            limit_s = setting.choose(min(check.limit_s, left_s), left_s)
            outcomes[row] = run(check, setting, limit_s, _tell)
        else:
            outcomes[row].reason = f"the {given.minutes:g} minutes were over"
        _tell(described(outcomes[row]))
        if given.out is not None:
            # After each: a machine that is taken away leaves what was found.
            write(given.out, checks, outcomes, command)
    print(summary(outcomes))
    for one in outcomes:
        if one.status != "passed":
            print(f"{one.name}: {described(one)}")
    raise SystemExit(any(one.status in ("failed", "not run") for one in outcomes))


def _tell(line: str) -> None:
    print(f"  {line}", flush=True)


def _prepare(setting: Setting) -> None:
    """What all checks need is imported and made once, before they are forked.

    What goes wrong here goes wrong in each check that needs it, and is told there.
    """
    torch.set_num_threads(1)
    # torch imports its compiler with the first optimiser.
    for module in ("torch._dynamo", *sorted({one.module for one in CHECKS})):
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    with contextlib.suppress(Exception):
        setting.make_corpora()


if __name__ == "__main__":
    main()
