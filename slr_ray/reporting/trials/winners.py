"""Which trials won: those that the final comparison measures, and the one under `best/`."""

from __future__ import annotations

from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.run import Run


def taken(run: Run) -> dict[int | None, TrialRecord]:
    """The trial that the comparison measures, or would now, by fold; of None with one split.

    What has none yet is left out.
    """
    folds = range(run.record.num_folds or 0)
    chosen = run.record.chosen
    if chosen is not None:
        by_number = {one.number: one for one in run.trials}
        return {
            fold: by_number[number] for fold, number in zip(folds or [None], chosen, strict=True)
        }
    # Before the comparison begins, and in records of earlier versions.
    if not folds:
        return {} if run.winner is None else {None: run.winner}
    found = {fold: run.goals.best(run.trials, run.metric, fold) for fold in folds}
    return {fold: one for fold, one in found.items() if one is not None}


def handed_out(run: Run) -> TrialRecord | None:
    """The trial whose model is under `best/`; the winner before that is there."""
    if run.best is None:
        return run.winner
    # With folds it is the model of one of them.
    fold = run.best.config["split"]["fold"] if run.record.num_folds else None
    return taken(run).get(fold)
