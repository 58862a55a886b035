"""What other rules would have chosen from a round's saved predictions; nothing is trained."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int
from rich.console import Console
from rich.text import Text

from slr_ray.config import alternatives, build, merge, parse_overrides, set_dotted
from slr_ray.corpora.arrays import UNKNOWN_GLOSS, UNLABELLED
from slr_ray.errors import ConfigError, DataError
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.experiment.validation_checks import refuse_choosing
from slr_ray.methods.pseudo_labelling.pool_predictions import PoolPredictions
from slr_ray.methods.pseudo_labelling.predicted import kept_predictions
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    NO_PSEUDO_LABELS,
    candidates_of,
    refine,
    stays,
)
from slr_ray.methods.seed_run import SeedRun
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import Evidence, Needs
from slr_ray.selection.select.rule import Rule
from slr_ray.single.replay_tables import Replayed, gloss_table, print_rules
from slr_ray.single.saved_runs import saved_runs

_CHANGEABLE = ("calibration", "refine", "reject", "selection", "growth")
_AUDIT = (
    "Precision is an audit by hidden labels: for reading only. A setting chosen by it would know "
    "labels that nobody has."
)


def replay_run(
    location: str,
    overrides: Mapping[str, Any],
    rules: Sequence[str],
    trial: int | None,
    per_gloss: bool,
    console: Console,
) -> list[Replayed]:
    """Replay rules on every saved round of a result folder or run, and print what they chose.

    Raises `ConfigError` for an override that a replay can't answer, `DataError` where no
    predictions were kept.
    """
    told, trainings = saved_runs(location, trial)
    first = trainings[0].run
    base = first.method
    assert isinstance(base, SslrConfig)
    method = _changed(base, overrides)
    calibrates = method.calibration == "temperature"
    if calibrates or method.reject is not None:
        what = "method.calibration=temperature" if calibrates else "method.reject"
        refuse_choosing(first.training, what)
    by_training = {
        training.name: [
            (training.run, *one) for one in _saved(training.run, with_validation=calibrates)
        ]
        for training in trainings
    }
    saved = [one for rounds in by_training.values() for one in rounds]
    if not saved:
        raise DataError(
            f"{told}: no round has kept its predictions. They are kept where the pool's clips "
            "times glosses are at most method.keep_predictions; or the data, or slr_ray, are others"
            " now"
        )
    # All rounds of a run have kept the same.
    evidence = saved[0][2].evidence
    for name, part in (("refine", method.refine), ("reject", method.reject)):
        lacking = "" if part is None else _lacking(part.needs, base.needs, evidence)
        if lacking:
            raise ConfigError(f"method.{name} needs {lacking}, which {told} has not kept")
    if method.calibration == "folds" and saved[0][2].held_out is None:
        raise ConfigError(
            f"method.calibration=folds needs predictions of held-out labelled clips, which {told} "
            "has not kept"
        )
    asked = _rules(method, overrides, rules)
    lacking_of = [(one, _lacking(one.needs, base.needs, evidence)) for one in asked]
    able = [one for one, lacking in lacking_of if not lacking]
    found = [replayed for one in saved for replayed in _replayed(*one, method, able)]
    console.print(f"{told}: {_counted(by_training)}", soft_wrap=True)
    print_rules(found, first.problem.num_glosses, console)
    if per_gloss:
        console.print(gloss_table(found, first.problem.corpus.glosses))
    for one, lacking in lacking_of:
        if lacking:
            reason = f"needs {lacking}, which the run has not kept"
            console.print(Text(f"not replayed: {_text(one)} {reason}"))
    if any(one.precision is not None for one in found):
        console.print(Text(_AUDIT))
    return found


def _counted(by_training: Mapping[str, Sequence[object]]) -> str:
    """How many trainings are replayed, and which have kept nothing for it."""
    without = [name for name, rounds in by_training.items() if not rounds]
    count = f"{len(by_training) - len(without)} of " if without else ""
    text = f"{count}{len(by_training)} training(s), each round's whole pool"
    return f"{text}; no predictions are kept of {'; '.join(without)}" if without else text


def _changed(method: SslrConfig, overrides: Mapping[str, Any]) -> SslrConfig:
    """The run's method with overrides of how it chooses."""
    tree: dict[str, Any] = {}
    for dotted, value in overrides.items():
        section, _, rest = dotted.partition(".")
        if section != "method" or rest.partition(".")[0] not in _CHANGEABLE:
            able = ", ".join(f"method.{one}" for one in _CHANGEABLE)
            raise ConfigError(f"{dotted}: a replay trains nothing; it can change {able}")
        set_dotted(tree, rest, value)
    return build(SslrConfig, merge(method.model_dump(mode="json"), tree), "replay")


def _rules(method: SslrConfig, overrides: Mapping[str, Any], texts: Sequence[str]) -> list[Rule]:
    """Those that are asked for, or the run's own and all others."""
    own = [method.selection] if any(one.startswith("method.selection") for one in overrides) else []
    if own or texts:
        return own + [_parsed(text) for text in texts]
    others = [kind() for kind in alternatives(SslrConfig, "selection").values()]
    return [method.selection, *(one for one in others if one != method.selection)]  # type: ignore[list-item]


def _parsed(text: str) -> Rule:
    """The rule of a text such as `threshold confidence=0.9`."""
    if not text.strip():
        raise ConfigError(f"--rule {text!r}: name a rule, such as 'threshold confidence=0.9'")
    kind, *fields = text.split()
    tree = {"kind": kind.removeprefix("kind="), **parse_overrides(fields)}
    return build(SslrConfig, {"selection": tree}, f"--rule {text!r}").selection


def _saved(run: SeedRun, *, with_validation: bool) -> Iterator[tuple[int, PoolPredictions]]:
    """The rounds whose predictions were kept."""
    for number in range(1, run.method.num_rounds + 1):
        predictions = kept_predictions(run, number, with_validation=with_validation)
        if predictions is not None:
            yield number, predictions


def _replayed(
    run: SeedRun,
    number: int,
    predictions: PoolPredictions,
    method: SslrConfig,
    rules: Sequence[Rule],
) -> Iterator[Replayed]:
    problem = run.problem
    refine(
        method,
        predictions,
        label_smoothing=run.training.label_smoothing,
        validation_glosses=problem.glosses(problem.split.validation),
    )
    fresh = method.model_copy(update={"pseudo_labels": "reselect"})
    num_pool, left = len(predictions.probabilities), stays(method, predictions)
    pool = problem.unlabelled[left]
    given = candidates_of(fresh, pool, predictions.of(left), NO_PSEUDO_LABELS, number)
    for rule in rules:
        yield _chosen(rule, given, problem.glosses(pool), num_pool)


def _chosen(
    rule: Rule, given: Candidates, hidden: Int[np.ndarray, " clips"], num_pool: int
) -> Replayed:
    rows = rule.select(given)
    glosses = given.gloss[rows]
    judged = hidden[rows] != UNLABELLED
    return Replayed(
        rule=_text(rule),
        round=given.round,
        num_pool=num_pool,
        per_gloss=np.bincount(glosses, minlength=given.num_glosses),
        edge=float(given.confidence[rows].min()) if len(rows) else None,
        precision=(
            float((glosses[judged] == hidden[rows][judged]).mean()) if judged.any() else None
        ),
        num_unknown=int((hidden[rows] == UNKNOWN_GLOSS).sum()),
    )


def _lacking(needs: Needs, kept: Needs, evidence: Evidence) -> str:
    """What is needed and was not kept, in words; empty where nothing is.

    What was `kept` is of as many passes and views, and of clips cut as far, as the run's own rule
    asked for: another number of them would need the model.
    """
    validation = needs.validation
    there = {
        "energies": (needs.energy, evidence.energy),
        "representations": (needs.representations, evidence.representations),
        "energies of validation": (validation and needs.energy, evidence.validation_energy),
        "representations of validation": (
            validation and needs.representations,
            evidence.validation_representations,
        ),
    }
    of_number = {
        f"{needs.dropout_passes} passes with dropout": (needs.dropout_passes, kept.dropout_passes),
        f"glosses of {needs.views} views": (needs.views, kept.views),
        f"glosses without the ends ({needs.head_fraction:g} and {needs.tail_fraction:g})": (
            (needs.head_fraction, needs.tail_fraction) if needs.ends_cut else None,
            (kept.head_fraction, kept.tail_fraction),
        ),
        "negative labels by the same thresholds": (needs.negative, kept.negative),
    }
    lacking = [name for name, (need, have) in there.items() if need and have is None]
    lacking += [name for name, (need, have) in of_number.items() if need and need != have]
    return " and ".join(lacking)


def _text(rule: Rule) -> str:
    """The rule as `--rule` takes it: the same one when it is given again."""
    fields = rule.model_dump(mode="json")
    kind = fields.pop("kind")
    # What is JSON is YAML; without spaces, which separate fields.
    told = (f"{name}={json.dumps(value, separators=(',', ':'))}" for name, value in fields.items())
    return " ".join([kind, *told])
