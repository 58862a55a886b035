"""A check: what it finds line by line, how long it may take, and how it is run apart."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Literal

import torch

from benchmarks.gpu.setting import Setting

Status = Literal["passed", "failed", "skipped", "not run"]


@dataclass(frozen=True)
class Finding:
    """A line of a check's result."""

    text: str
    is_problem: bool = False


class Skipped(Exception):
    """Why a check can't be made on this machine."""


@dataclass(frozen=True)
class Check:
    """A function of that name in `module` which yields findings."""

    name: str
    module: str
    title: str
    limit_s: float

    @property
    def function(self) -> Callable[[Setting], Iterator[Finding]]:
        """Imported when it is asked for: a package that is missing concerns those who need it."""
        found: Callable[[Setting], Iterator[Finding]] = getattr(
            importlib.import_module(self.module), self.name
        )
        return found


@dataclass
class Outcome:
    """How a check ended, and what it had found until then."""

    name: str
    status: Status = "not run"
    reason: str = ""
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0


def within(what: str, value: float, limit: float) -> Finding:
    """A finding that is a problem where the value is above the limit, or no number."""
    return Finding(f"{what}: {value:.2g} (at most {limit:g})", not value <= limit)


def run(check: Check, setting: Setting, limit_s: float, tell: Callable[[str], None]) -> Outcome:
    """Run a check in a process of its own and end it, with all its children, when its time is up.

    What breaks a GPU's context, and every later call with it, so breaks one check.
    """
    outcome, started = Outcome(check.name), time.monotonic()
    context = setting.processes
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(check, setting, sender))
    process.start()
    sender.close()
    try:
        while outcome.status == "not run":
            if not receiver.poll(max(0.0, started + limit_s - time.monotonic())):
                outcome.status, outcome.reason = "failed", f"cut off after {limit_s:.0f} s"
                break
            told: Finding | tuple[Status, str] = receiver.recv()
            if isinstance(told, Finding):
                outcome.findings.append(told)
                tell(f"{'PROBLEM: ' * told.is_problem}{told.text}")
            else:
                outcome.status, outcome.reason = told
    except EOFError:
        process.join()
        outcome.status, outcome.reason = "failed", f"its process ended ({process.exitcode})"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.join()
    problems = sum(one.is_problem for one in outcome.findings)
    if outcome.status == "passed" and problems:
        outcome.status, outcome.reason = "failed", f"{problems} of {len(outcome.findings)} findings"
    outcome.seconds = time.monotonic() - started
    return outcome


def forks_work() -> bool:
    """Whether a fork of this process could use the GPU.

    Not once this process has only asked for a GPU, which an import may do unseen.
    """
    probe = multiprocessing.get_context("fork").Process(target=_probe)
    probe.start()
    probe.join()
    return probe.exitcode == 0


def _probe() -> None:
    sys.exit(torch.cuda._is_in_bad_fork())


def _in_child(check: Check, setting: Setting, sender: Connection) -> None:
    # A group of its own, so that the children of its children end with it.
    os.setsid()
    torch.set_num_threads(1 if setting.is_tiny else os.cpu_count() or 1)
    ending: tuple[Status, str]
    try:
        for finding in check.function(setting):
            sender.send(finding)
        ending = ("passed", "")
    except Skipped as reason:
        ending = ("skipped", str(reason))
    except ModuleNotFoundError as error:
        is_own = (error.name or "").split(".")[0] in ("slr_ray", "benchmarks")
        ending = ("failed" if is_own else "skipped", f"{error.name} is not installed")
    except Exception as error:
        traceback.print_exc()
        ending = ("failed", f"{type(error).__name__}: {error}".splitlines()[0])
    sender.send(ending)
