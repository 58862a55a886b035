"""From a model's predictions of the pool to the next round's pseudo-labels: choose, look at it.

Five steps choose: calibrate, refine, reject, select, weight.
"""

from __future__ import annotations

from dataclasses import dataclass

from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.audit import audit_selection
from slr_ray.methods.pseudo_labelling.pool_predictions import PoolPredictions
from slr_ray.methods.pseudo_labelling.pseudo_labels import (
    NO_PSEUDO_LABELS,
    PseudoLabels,
    candidates_of,
    refine,
    select,
    stays,
)
from slr_ray.records.audits.audit import Audit
from slr_ray.selection.ranked import Ranked
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem


@dataclass(frozen=True)
class Chosen:
    """The pseudo-labels of a round."""

    pseudo: PseudoLabels
    audit: Audit | None = None
    nothing_left: str | None = None
    """Why the round would learn nothing new; None where it would."""


NOTHING_CHOSEN = Chosen(NO_PSEUDO_LABELS)
"""Of round 0."""


def choose(
    problem: Problem,
    training: TrainingConfig,
    method: SslrConfig,
    predictions: PoolPredictions,
    before: PseudoLabels,
    number: int,
) -> Chosen:
    """The pseudo-labels of round `number`: those of the round before that stay, and new ones.

    `predictions` are used up: refinement works on them in place.
    """
    refine(
        method,
        predictions,
        label_smoothing=training.label_smoothing,
        validation_glosses=problem.glosses(problem.split.validation),
    )
    left = stays(method, predictions)
    # What is rejected is no part of the pool any more: no quantile, mean or count has it.
    pool, seen = problem.unlabelled, predictions
    if len(left) < len(pool):
        pool, seen = pool[left], predictions.of(left)
    candidates = candidates_of(method, pool, seen, before, number)
    pseudo = select(method, pool, candidates, before)
    audit = audit_selection(problem, predictions.probabilities, left, before, pseudo)
    return Chosen(pseudo, audit, why_nothing_left(method, pseudo, audit, candidates))


def why_nothing_left(
    method: RoundsConfig, pseudo: PseudoLabels, audit: Audit, candidates: Ranked
) -> str | None:
    """Why a round with these pseudo-labels would learn nothing new; None where it would."""
    num_new = audit.num_added + audit.num_changed
    if num_new > method.changed_tolerance * max(len(pseudo), 1) or audit.num_negative:
        return None
    if len(pseudo):
        return "nothing left to add"
    if not len(candidates.confidence):
        return f"every clip was rejected in round {candidates.round}"
    return (
        f"the rule selected no clip in round {candidates.round} "
        f"(highest confidence {candidates.confidence.max():.3f})"
    )
