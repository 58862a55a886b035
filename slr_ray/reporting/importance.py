"""Which searched parameters mattered: PED-ANOVA on the search's own journal."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.trial import FrozenTrial, TrialState
from pyarrow import ArrowException

from slr_ray.errors import DataError
from slr_ray.records.runs import TrialRecord
from slr_ray.reporting.run import Run
from slr_ray.storage import below

MIN_TRIALS = 8
_KINDS = re.compile(r"(\[[^\]]*\])+$")
"""What stands behind a path whose parameter lies in a branch of the space."""


def parameter_importance(run: Run) -> dict[str, float]:
    """Share of importance by dotted parameter, largest first.

    PED-ANOVA (Watanabe et al., IJCAI 2023; conditional parameters as in arXiv 2601.20800, both by
    optuna) asks which parameters set the best tenth of the complete trials apart from the rest. A
    path that several branches search counts once, added up; a parameter that never varied has no
    importance and is left out. Raises `DataError` where the run's journal is gone or damaged.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = _study(run)
    values: dict[str, set[Any]] = defaultdict(set)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        for name, value in trial.params.items():
            values[name].add(value)
    varied = [name for name, found in values.items() if len(found) > 1]
    if not varied:
        return {}
    with warnings.catch_warnings():
        # Branches with a single trial: the report's own note on few trials says it better.
        warnings.simplefilter("ignore")
        shares = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(),
            params=varied,
            # Of several objectives the first, as a number that is to be small.
            target=_first if len(study.directions) > 1 else None,
        )
    found: Counter[str] = Counter()
    for name, share in shares.items():
        found[branch_free(name)] += share  # type: ignore[assignment]
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def parameter_names(trials: Iterable[TrialRecord]) -> list[str]:
    """Every searched parameter, in the order of first appearance."""
    return list(dict.fromkeys(name for trial in trials for name in trial.params))


def branch_free(name: str) -> str:
    """A parameter's dotted path without the branch that it lies in."""
    return _KINDS.sub("", name)


def _first(trial: FrozenTrial) -> float:
    return -float(trial.values[0])


def _study(run: Run) -> optuna.Study:
    journal = run.folder.journal
    place = below(run.location, journal)
    try:
        lines = run.folder.read_journal().splitlines(keepends=True)
        # A search that goes on, or was killed, may have written half of its last line.
        logs = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return optuna.load_study(study_name=None, storage=JournalStorage(_Lines(logs)))
    except FileNotFoundError:
        problem = "is not there"
    except (OSError, ArrowException) as error:
        problem = f"cannot be read: {error}"
    except (ValueError, KeyError, TypeError):
        problem = "is damaged"
    raise DataError(
        f"What mattered is not known, as {place} {problem}; "
        "put the search's own journal there and write the report again"
    )


class _Lines(BaseJournalBackend):
    """A journal in memory, for reading: a run may be read-only, or lie behind a URI."""

    def __init__(self, logs: list[dict[str, Any]]) -> None:
        self._logs = logs

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        raise NotImplementedError
