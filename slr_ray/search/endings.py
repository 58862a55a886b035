"""How a trial's record comes about: from its progress, its error, or the lack of both."""

from __future__ import annotations

from collections import Counter

from slr_ray.records.goals import figures
from slr_ray.records.run_folder import TrialFolder
from slr_ray.records.runs import TrialRecord
from slr_ray.search.history.study import SearchStudy
from slr_ray.workers.losses import DIED, is_loss, told


def settle_unfinished(folders: dict[int, TrialFolder], study: SearchStudy) -> None:
    """Tell the trials that had ended when an earlier process was killed before it told them."""
    for number, folder in folders.items():
        if folder.is_done():
            record = folder.trial()
            study.tell(number, record.status, record.value, figures(record))


def record_of(folder: TrialFolder, *, pruned: bool) -> TrialRecord | None:
    """The record of a trial that ended by itself; None where it stopped without an end."""
    progress = folder.read_progress()
    if progress is None:
        return None
    if pruned:
        return progress.model_copy(update={"status": "pruned"})
    return progress if progress.status == "complete" else None


def failed_record(folder: TrialFolder, number: int, error: str) -> TrialRecord:
    """The record of a failed trial, with what it had reached."""
    given, progress = folder.read_task(), folder.read_progress()
    return TrialRecord(
        number=number,
        status="failed",
        params=given["params"],
        value=None,
        seeds=progress.seeds if progress else [],
        error=error,
        wall_s=progress.wall_s if progress else 0.0,
        training_s=progress.training_s if progress else 0.0,
        source=given["source"],
    )


class Restarts:
    """How the tries of each trial ended that did not succeed, and whether it gets another one.

    What a trial raised is its own fault; a lost process is not, up to a limit: a trial may be what
    kills its processes.
    """

    def __init__(self, max_failures: int, max_lost: int) -> None:
        self._max_failures, self._max_lost = max_failures, max_lost
        self._failures: Counter[int] = Counter()
        self._losses: Counter[int] = Counter()
        self._reasons: dict[int, str] = {}

    def note(self, number: int, error: BaseException) -> None:
        """A try of the trial ended with this."""
        counts = self._losses if is_loss(error) else self._failures
        counts[number] += 1
        self._reasons[number] = told(error)

    def reason(self, number: int) -> str:
        """Why the last try ended."""
        return self._reasons.get(number, DIED)

    def are_used_up(self, number: int) -> bool:
        return self._failures[number] > self._max_failures or self._losses[number] > self._max_lost

    def told(self, number: int) -> str:
        """Why the trial failed for good."""
        reason = self.reason(number)
        if self._losses[number] > self._max_lost:
            return f"{reason}, {self._losses[number]} times (--max-lost {self._max_lost})"
        return reason
