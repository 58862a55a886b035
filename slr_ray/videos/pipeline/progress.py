"""What a person sees while poses are extracted: a bar that lives, or plain lines in a log."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from slr_ray.durations import duration
from slr_ray.videos.pipeline.outcome import Outcome
from slr_ray.videos.pipeline.pipeline import Running

_EVERY_S = 1.0
_LINE_EVERY_S = 15.0


class ExtractionProgress:
    """Clips and frames a second, time left, failures, and workers at work.

    Time left goes by the estimated length of the clips that are left, as the longest come first.
    """

    def __init__(self, console: Console, num_clips: int, estimated_s: float) -> None:
        self.console = console
        self.num_clips = num_clips
        self.num_done = self.num_failed = self.num_frames = 0
        self.starting_s: float | None = None
        """From the start until the first worker took a clip: Ray, processes, models."""
        self._estimated_s = estimated_s
        self._ended_s = 0.0
        self._begun = time.time()
        self._last_line = self._begun
        self._running: Running | None = None
        self._asking = threading.Lock()
        self._at_work = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            disable=not console.is_terminal,
        )

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """Keep it on the screen, and up to date even while no clip ends, for the body."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), daemon=True)
        with self._bar:
            task = self._bar.add_task("clips", total=self.num_clips, state="starting workers")
            self._redraw: Callable[[], None] = lambda: self._bar.update(
                task, completed=self.num_done + self.num_failed, state=self._state()
            )
            watcher.start()
            try:
                yield
            finally:
                over.set()
                watcher.join()
                self._redraw()

    def started(self, running: Running) -> None:
        self._running = running

    def stopped(self) -> None:
        """The pipeline is over: asking it now would start another Ray."""
        self._ask()
        with self._asking:
            self._running = None

    def ended(self, outcome: Outcome, estimated_s: float) -> None:
        if self.starting_s is None:
            self._ask()
        self._ended_s += estimated_s
        if outcome.state == "done":
            self.num_done += 1
            self.num_frames += (outcome.quality or {}).get("num_frames", 0)
        else:
            self.num_failed += 1
            self._print(f"failed: {outcome.clip_id}: {outcome.reason}")
        self._redraw()

    @property
    def elapsed_s(self) -> float:
        return time.time() - self._begun

    @property
    def working_s(self) -> float:
        """Since the first worker took a clip."""
        return self.elapsed_s - (self.starting_s or 0.0)

    def _state(self) -> str:
        if self.starting_s is None:
            return f"starting workers, {duration(self.elapsed_s)}"
        ended = self.num_done + self.num_failed
        parts = []
        if ended:
            working = max(self.working_s, 1e-6)
            share = self._ended_s / self._estimated_s if self._estimated_s > 0 else 0.0
            parts = [f"{ended / working:.2f} clips/s", f"{self.num_frames / working:.0f} frames/s"]
            if 0 < share < 1:
                parts.append(f"{duration(working / share * (1 - share))} left")
        if self.num_failed:
            parts.append(f"{self.num_failed} failed")
        if self._running is not None:
            parts.append(f"{self._at_work} workers busy")
        return ", ".join(parts)

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_EVERY_S):
            self._ask()
            self._redraw()
            now = time.time()
            if not self.console.is_terminal and now - self._last_line >= _LINE_EVERY_S:
                self._last_line = now
                ended = self.num_done + self.num_failed
                self._print(f"{ended} of {self.num_clips} clips, {self._state()}")

    def _ask(self) -> None:
        # Ray may be going away under this thread; the numbers are for display only.
        with self._asking, contextlib.suppress(Exception):
            if self._running is not None:
                self._at_work = len(self._running.at_work())
                begun = self._running.first_begun()
                if begun is not None:
                    self.starting_s = begun - self._begun

    def _print(self, line: str) -> None:
        self._bar.console.print(line, highlight=False, soft_wrap=True)
