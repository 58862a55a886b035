"""How a trial's record comes about: from its progress, its error, or the lack of both."""

from __future__ import annotations

from slr_ray.records.run_folder import TrialFolder
from slr_ray.records.runs import TrialRecord
from slr_ray.search.history.study import SearchStudy


def settle_unfinished(folders: dict[int, TrialFolder], study: SearchStudy) -> None:
    """Tell the trials that had ended when an earlier process was killed before it told them."""
    for number, folder in folders.items():
        if folder.is_done():
            record = folder.trial()
            study.tell(number, record.status, record.value)


def record_of(
    folder: TrialFolder, number: int, *, failed: bool, pruned: bool
) -> TrialRecord | None:
    """The record of a trial that ended; None where it stopped without an end of its own."""
    progress = folder.read_progress()
    if failed:
        return failed_record(folder, number, why_it_ended(folder), progress)
    if progress is None:
        return None
    if pruned:
        return progress.model_copy(update={"status": "pruned"})
    return progress if progress.status == "complete" else None


def failed_record(
    folder: TrialFolder, number: int, error: str, progress: TrialRecord | None = None
) -> TrialRecord:
    """The record of a failed trial, with what it had reached."""
    given = folder.read_task()
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


def why_it_ended(folder: TrialFolder) -> str:
    """The error that a trial left; a process that was killed leaves none."""
    return folder.read_error() or "its process died: killed, out of memory or its node was lost"
