"""Every try of a trial or an arm, from the log's events: where it ran, how long, what it took."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

from slr_ray.records.log import Event

LOST = "lost try"
_ENDS = {
    "trial_complete": "complete",
    "trial_pruned": "pruned",
    "trial_failed": "failed",
    "trial_cut_off": "cut off",
    "trial_restarted": LOST,
    "arm_ended": "arm",
    "arm_failed": "failed",
    "arm_restarted": LOST,
}


@dataclass(frozen=True)
class Try:
    """One start of a trial's or an arm's process, and how it ended."""

    what: str
    is_trial: bool
    """Else it is of an arm or a sweep's cell."""
    who: str | None
    """The process, as HOST:PID; None where nothing was heard from it."""
    begun: datetime.datetime
    ended: datetime.datetime
    cpus: float
    gpus: float
    """Reserved, those of all workers together."""
    outcome: str = "running"
    value: float | None = None

    @property
    def seconds(self) -> float:
        return (self.ended - self.begun).total_seconds()


@dataclass(frozen=True)
class Spent:
    """Hours of processors and GPUs."""

    cpu_h: float = 0.0
    gpu_h: float = 0.0
    num_tries: int = 0


def spent(tries: Iterable[Try]) -> Spent:
    """What tries reserved, for as long as they ran."""
    found = list(tries)
    return Spent(
        cpu_h=sum(one.cpus * one.seconds for one in found) / 3600,
        gpu_h=sum(one.gpus * one.seconds for one in found) / 3600,
        num_tries=len(found),
    )


class Tries:
    """The tries of a run, heard event by event.

    Those of a driver that was killed are lost with it: they end with the last that it logged.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.ended: list[Try] = []
        self.wall_s = 0.0
        """Of all starts of the driver, each until its last event."""
        self._running: dict[str, Try] = {}
        self._last: Event | None = None
        for one in events:
            self.hear(one)

    def hear(self, event: Event) -> None:
        """The next event of the log."""
        what = event.what
        if self._last is not None:
            if event.event in ("run_started", "run_resumed"):
                for one in list(self._running):
                    self._end(one, self._last, LOST)
            else:
                self.wall_s += (event.time - self._last.time).total_seconds()
        if event.event in ("trial_started", "arm_started"):
            if what in self._running:
                self._end(what, event, LOST)
            self._running[what] = Try(
                what=what,
                is_trial=event.trial is not None,
                who=None,
                begun=event.time,
                ended=event.time,
                cpus=event.cpus or 0.0,
                gpus=event.gpus or 0.0,
            )
        elif event.event == "round_ended" and what in self._running:
            self._running[what] = replace(self._running[what], who=event.who)
        elif event.event in _ENDS and what in self._running:
            self._end(what, event, _ENDS[event.event])
        self._last = event

    def _end(self, what: str, event: Event, outcome: str) -> None:
        one = self._running.pop(what)
        who = one.who or (event.who if event.what == what else None)
        self.ended.append(
            replace(one, who=who, ended=event.time, outcome=outcome, value=event.value)
        )

    def at(self, now: datetime.datetime) -> list[Try]:
        """All that there were until `now`, those that run included."""
        return self.ended + [replace(one, ended=now) for one in self._running.values()]

    def all(self) -> list[Try]:
        """All of a log that was read: what runs by its end has run until its last event."""
        return self.at(self._last.time) if self._last is not None else []
