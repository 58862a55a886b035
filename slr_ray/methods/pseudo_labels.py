"""Which unlabelled clips a round trains on, as what, and with what weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pool_predictions import PoolPredictions
from slr_ray.selection.calibration import apply_temperature, fit_temperature, undo_smoothing
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import present


@dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labelled clips that a round trains on, in ascending order of clips."""

    clips: Int[np.ndarray, " clips"]
    glosses: Int[np.ndarray, " clips"]
    weights: Float[np.ndarray, " clips"]
    """Of their losses, beside a true label's 1."""

    def __len__(self) -> int:
        return len(self.clips)


NO_PSEUDO_LABELS = PseudoLabels(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
)


def refine(
    method: SslrConfig,
    predictions: PoolPredictions,
    *,
    label_smoothing: float,
    validation_glosses: Int[np.ndarray, " validation"],
) -> None:
    """Make the pool's probabilities what rules see, in place: calibrated, then refined."""
    probabilities = predictions.probabilities
    match method.calibration:
        case "undo_smoothing":
            undo_smoothing(probabilities, label_smoothing)
        case "temperature":
            validation = present(predictions.validation, "predictions of validation")
            apply_temperature(probabilities, fit_temperature(validation, validation_glosses))
        case "none":
            pass
    method.refine.apply(probabilities, predictions.evidence)


def stays(method: SslrConfig, predictions: PoolPredictions) -> Int[np.ndarray, " rows"]:
    """Rows of the pool's clips that rejection leaves to the selection, ascending."""
    if method.reject is None:
        return np.arange(len(predictions.probabilities))
    return np.flatnonzero(method.reject.stays(predictions.evidence))


def select(
    method: SslrConfig,
    unlabelled: Int[np.ndarray, " unlabelled"],
    candidates: Candidates,
    before: PseudoLabels,
) -> PseudoLabels:
    """The pseudo-labels of a round: those of `before` that stay and those that the rule selects."""
    kept = kept_labels(method, before)
    rows = method.selection.select(candidates)
    clips = np.concatenate([kept.clips, unlabelled[rows]])
    order = np.argsort(clips, kind="stable")
    weights = method.weight.weigh(candidates, rows)
    return PseudoLabels(
        clips[order],
        np.concatenate([kept.glosses, candidates.gloss[rows]])[order],
        np.concatenate([kept.weights, weights])[order],
    )


def kept_labels(method: SslrConfig, before: PseudoLabels) -> PseudoLabels:
    """Those that stay."""
    return before if method.pseudo_labels == "accumulate" else NO_PSEUDO_LABELS


def candidates_of(
    method: SslrConfig,
    unlabelled: Int[np.ndarray, " unlabelled"],
    predictions: PoolPredictions,
    before: PseudoLabels,
    number: int,
) -> Candidates:
    """What the rule of round `number` decides on, once `refine` is done."""
    return Candidates(
        probabilities=predictions.probabilities,
        allowed=~np.isin(unlabelled, kept_labels(method, before).clips),
        round=number,
        growth=_growth(method, number),
        evidence=predictions.evidence,
    )


def _growth(method: SslrConfig, number: int) -> float:
    match method.growth:
        case "constant":
            return 1.0
        case "linear":
            return float(number)
        case "geometric":
            return 2.0 ** (number - 1)
