"""Which searched parameters mattered: PED-ANOVA on a study rebuilt from the trial records."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from slr_ray.documents.matrices import is_number
from slr_ray.records.typed import TrialRecord
from slr_ray.reporting.run import Run

MIN_TRIALS = 8


def parameter_importance(run: Run) -> dict[str, float] | None:
    """Share of importance by dotted parameter, largest first; None with fewer than 8 trials.

    PED-ANOVA (Watanabe et al., IJCAI 2023; conditional parameters as in arXiv 2601.20800, both by
    optuna) asks which parameters set the best tenth of the complete trials apart from the rest.
    Ranges are those that the trials cover, on a logarithmic scale where the space says so; a
    parameter that never varied has no importance and is left out.
    """
    import optuna

    trials = run.ranked
    if len(trials) < MIN_TRIALS:
        return None
    logarithmic = logarithmic_paths(run.record.space)
    distributions = {
        name: distribution
        for name in parameter_names(trials)
        if (distribution := distribution_of(_values(trials, name), name in logarithmic)) is not None
    }
    if not distributions:
        return {}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction="minimize" if run.lower_is_better else "maximize")
    finally:
        optuna.logging.set_verbosity(verbosity)
    for trial in trials:
        params = {
            name: _as_choice(trial.params[name], distributions[name])
            for name in distributions
            if name in trial.params
        }
        study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions={name: distributions[name] for name in params},
                value=trial.value,
            )
        )
    with warnings.catch_warnings():
        # Branches with a single trial: the report's own note on few trials says it better.
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(study)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def parameter_names(trials: Iterable[TrialRecord]) -> list[str]:
    """Every searched parameter, in the order of first appearance."""
    return list(dict.fromkeys(name for trial in trials for name in trial.params))


def _values(trials: list[TrialRecord], name: str) -> list[Any]:
    return [trial.params[name] for trial in trials if name in trial.params]


def distribution_of(values: list[Any], logarithmic: bool) -> Any:
    """The optuna distribution that spans `values`; None where they are all the same."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if all(is_number(value) for value in values):
        low, high = min(values), max(values)
        if low == high:
            return None
        log = logarithmic and low > 0
        if all(isinstance(value, int) for value in values):
            return IntDistribution(low, high, log=log)
        return FloatDistribution(float(low), float(high), log=log)
    choices = sorted({str(value) for value in values})
    return CategoricalDistribution(choices) if len(choices) > 1 else None


def _as_choice(value: Any, distribution: Any) -> Any:
    # Lists and mappings as values: optuna knows scalars only, and the wording serves as well.
    return str(value) if hasattr(distribution, "choices") else value


def logarithmic_paths(space: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Dotted paths whose distribution in the space has "log" in its name, as log_uniform."""
    found: set[str] = set()
    for key, value in space.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            named = any("log" in str(inner) for inner in value)
            if len(value) == 1 and named:
                found.add(dotted)
            found |= logarithmic_paths(value, f"{dotted}.")
        elif key == "choose" and isinstance(value, list):
            for branch in value:
                if isinstance(branch, Mapping):
                    found |= logarithmic_paths(branch, prefix)
    return found
