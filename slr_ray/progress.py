"""How far a long step is: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from slr_ray.durations import duration

ItemT = TypeVar("ItemT")

_LINE_EVERY_S = 30.0


class ProgressBar:
    """Steps done out of `total`, with the time left; use as a context manager.

    `done` of them were done before. In a log (no terminal) at most one line in `line_every_s`
    seconds, and one at the end.
    """

    def __init__(
        self,
        console: Console,
        what: str,
        total: int,
        *,
        done: int = 0,
        line_every_s: float = _LINE_EVERY_S,
    ) -> None:
        self.console, self.what, self.total = console, what, total
        self.done = self._done_before = done
        self._note = ""
        self._line_every_s = line_every_s
        self._started = self._last_line = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(what, total=total, completed=done)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more are done; `note` says something of the last one."""
        self.to(self.done + count, note)

    def found(self, done: int) -> None:
        """So many were done by an earlier process: they say nothing of the time that is left."""
        self.done = self._done_before = done

    def over(self, items: Iterable[ItemT]) -> Iterator[ItemT]:
        """Hand the items on; one is done when the next is asked for."""
        for item in items:
            yield item
            self.advance()

    def to(self, done: int, note: str = "") -> None:
        """So many are done by now."""
        before = self.done
        self.done, self._note = min(done, self.total), note or self._note
        text = f"{self.what}: {self._note}" if self._note else self.what
        self._bar.update(self._task, completed=self.done, description=text)
        now = time.monotonic()
        if not self.console.is_terminal and (
            now - self._last_line >= self._line_every_s or before < self.done == self.total
        ):
            self._last_line = now
            self.console.print(
                f"{self.what} {self.done}/{self.total}{self._left(now)}"
                + (f", {self._note}" if self._note else ""),
                soft_wrap=True,
                highlight=False,
            )

    def end(self) -> None:
        """Nothing is left, though fewer than `total` were done."""
        if self.done < self.total:
            done, self.total, self.done = self.done, self.done, 0
            self._bar.update(self._task, total=self.total)
            self.to(done)

    def _left(self, now: float) -> str:
        fresh = self.done - self._done_before
        if fresh <= 0 or self.done >= self.total:
            return ""
        left = (now - self._started) / fresh * (self.total - self.done)
        return f", {duration(left)} left"
