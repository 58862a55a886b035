"""What a person sees while a run works: a live table with time left, or plain lines in a log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from slr_ray.durations import duration
from slr_ray.records.goals import TITLES
from slr_ray.records.runs import TrialRecord
from slr_ray.search.listeners import RunListener

_SHOWN = 12


@dataclass
class _Row:
    number: int
    params: str
    state: str = "waiting"
    round: str = ""
    value: float | None = None
    seconds: float = 0.0


class LiveView(RunListener):
    """Trials as they go, then the final comparison; redrawn in a terminal, lines elsewhere."""

    def __init__(self, console: Console, metric: str, num_trials: int, num_arms: int) -> None:
        self.console, self.metric = console, metric
        self.num_trials, self.num_arms = num_trials, num_arms
        self._rows: dict[int, _Row] = {}
        self._trials_done = self._arms_done = 0
        self._new_trials_done = 0
        self._started = self._phase_started = time.monotonic()
        self._phase = "search"
        self._live: Live | None = None

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the table on the screen while the body runs."""
        if not self.console.is_terminal:
            yield
            return
        with Live(
            get_renderable=self._render,
            console=self.console,
            refresh_per_second=2,
            # What Ray prints is kept elsewhere.
            redirect_stdout=False,
        ) as self._live:
            yield
        self._live = None

    def found(self, record: TrialRecord) -> None:
        self._put(record)
        self._trials_done += 1

    def asked(self, number: int, params: dict[str, Any], source: str) -> None:
        self._rows[number] = _Row(number, _text(params, source))

    def progressed(self, number: int, result: dict[str, Any]) -> None:
        row = self._rows[number]
        row.state, row.round = "running", str(result["round"])
        row.value = result[self.metric]
        row.seconds = result["trial_wall_s"]

    def restarted(self, number: int, reason: str) -> None:
        self._rows[number].state = "restarted"
        self._print(f"trial {number} is started again: {reason}")

    def search_ended(self, reason: str) -> None:
        self._print(f"the search ends: {reason} is spent")

    def cut_off(self, number: int, reason: str) -> None:
        self._rows[number].state = "cut off"
        self._print(f"trial {number}: cut off by {reason}")

    def ended(self, record: TrialRecord) -> None:
        self._put(record)
        self._trials_done += 1
        self._new_trials_done += 1
        value = "" if record.value is None else f", {TITLES[self.metric]} {record.value:.3f}"
        error = f": {record.error}" if record.error else ""
        self._print(
            f"trial {record.number} {record.status}{error}{value}, {record.wall_s:.0f} s "
            f"[{self._trials_done}/{self.num_trials}{self._left_text()}] {short(record.params)}"
        )

    def final_begins(self) -> None:
        self._phase, self._phase_started = "final", time.monotonic()
        self._print(f"final comparison: {self.num_arms} measurements, test set touched once each")

    def arm_ended(self, arm: str, seed: int, who: str | None, error: str | None) -> None:
        self._arms_done += 1
        if who is not None or error is not None:
            ended = "done" if error is None else f"failed: {error}"
            self._print(f"{arm} seed {seed} {ended} [{self._arms_done}/{self.num_arms}]")

    def arm_restarted(self, arm: str, seed: int, reason: str) -> None:
        self._print(f"{arm} seed {seed} is started again: {reason}")

    def nodes_changed(self, event: str, line: str) -> None:
        if self._live is None:
            self._print(line)
        else:
            # Above the table, which has no row for it.
            self._live.console.print(line, highlight=False)

    def _put(self, record: TrialRecord) -> None:
        rounds = max((len(seed.rounds) for seed in record.seeds), default=0)
        self._rows[record.number] = _Row(
            record.number,
            _text(record.params, record.source),
            record.status if not record.error else f"failed: {record.error}",
            str(rounds - 1) if rounds else "",
            record.value,
            record.wall_s,
        )

    def seconds_left(self) -> float | None:
        """Of this phase, from the pace so far; None before anything is finished."""
        elapsed = time.monotonic() - self._phase_started
        done, total = self._new_trials_done, self.num_trials
        left = total - self._trials_done
        if self._phase == "final":
            done, left = self._arms_done, self.num_arms - self._arms_done
        return elapsed / done * left if done else None

    def _left_text(self) -> str:
        left = self.seconds_left()
        return f", {duration(left)} left" if left is not None else ""

    def _print(self, line: str) -> None:
        if self._live is None:
            self.console.print(line, highlight=False, soft_wrap=True)

    def _render(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("trial", "setting", "state", "round", TITLES[self.metric], "s"):
            table.add_column(heading, overflow="fold")
        finished = [row for row in self._rows.values() if row.state in ("complete", "pruned")]
        best = max(
            (row.value for row in finished if row.state == "complete" and row.value is not None),
            default=None,
        )
        for row in sorted(self._rows.values(), key=lambda one: one.number)[-_SHOWN:]:
            value = "" if row.value is None else f"{row.value:.3f}"
            style = "green" if best is not None and row.value == best else ""
            style = "red" if row.state.startswith("failed") else style
            table.add_row(
                str(row.number),
                row.params,
                row.state,
                row.round,
                value,
                f"{row.seconds:.0f}",
                style=style,
            )
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
        )
        left = self.seconds_left()
        text = f"{duration(left)} left" if left is not None else "estimating"
        if self._phase == "search":
            bar.add_task("search", total=self.num_trials, completed=self._trials_done, left=text)
        else:
            bar.add_task("final", total=self.num_arms, completed=self._arms_done, left=text)
        elapsed = f"{duration(time.monotonic() - self._started)} since the start"
        return Group(table, bar, elapsed)


def _text(params: dict[str, Any], source: str) -> str:
    return short(params) + ("  (start_from)" if source == "start_from" else "")


def short(params: dict[str, Any]) -> str:
    """Parameters on one line, each under the last part of its path."""
    texts = []
    for path, value in params.items():
        name = path.rsplit(".", 1)[-1]
        if name == "kind":
            texts.append(str(value))
        else:
            texts.append(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}")
    return ", ".join(texts)
