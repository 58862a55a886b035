"""How far a search had come: the best value by trial, and by the hours that it had run."""

from __future__ import annotations

from collections.abc import Sequence

from slr_ray.records.log import read_log
from slr_ray.records.runs import TrialRecord
from slr_ray.records.tries import Tries
from slr_ray.reporting.run import Run


def best_so_far(run: Run, trials: Sequence[TrialRecord]) -> list[tuple[TrialRecord, float]]:
    """Complete trials, in the order given, with the best value up to each that keeps the limits.

    They begin with the first trial that keeps them.
    """
    better = min if run.lower_is_better else max
    best: float | None = None
    found = []
    for trial in trials:
        if run.goals.kept(trial):
            value = trial.value or 0.0
            best = value if best is None else better(best, value)
        if best is not None:
            found.append((trial, best))
    return found


def ended_after_h(run: Run) -> dict[int, float]:
    """Hours that the run had gone on for when each complete trial ended, by number.

    Of all starts together; the time between them is not counted. Empty without a log.
    """
    tries, found = Tries(), {}
    for event in read_log(run.folder):
        tries.hear(event)
        if event.event == "trial_complete" and event.trial is not None:
            found[event.trial] = tries.wall_s / 3600
    return found
