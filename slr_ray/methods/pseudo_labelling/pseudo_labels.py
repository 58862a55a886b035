"""Which unlabelled clips a round trains on, as what, and with what weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.methods.pseudo_labelling.pool_predictions import PoolPredictions
from slr_ray.records.stages import State
from slr_ray.selection.calibration import apply_temperature, fit_temperature, undo_smoothing
from slr_ray.selection.candidates import Candidates
from slr_ray.selection.evidence import present
from slr_ray.sentences.steps import Sequences
from slr_ray.training.labels.sampling import TrainingSet, extended, extended_by_sentences


@dataclass(frozen=True)
class NegativeLabels:
    """Clips without a pseudo-label that teach what they are not, in ascending order."""

    clips: Int[np.ndarray, " clips"]
    excluded: Bool[np.ndarray, "clips glosses"]
    """The glosses that each is not, one at least."""
    weight: float
    """Of their losses, beside a true label's 1."""


@dataclass(frozen=True)
class PseudoLabels:
    """The pseudo-labelled clips that a round trains on, in ascending order of clips."""

    clips: Int[np.ndarray, " clips"]
    glosses: Int[np.ndarray, " clips"]
    weights: Float[np.ndarray, " clips"]
    """Of their losses, beside a true label's 1."""
    distributions: Float[np.ndarray, "clips all_glosses"] | None = None
    """What they are trained to; None = to their glosses."""
    negative: NegativeLabels | None = None
    """Other clips, where some teach what they are not."""
    sequences: Sequences | None = None
    """Of sentences: the hypothesis of each, in the place of `glosses`, which are all
    `UNLABELLED`."""
    segments: Sequence[Bool[np.ndarray, " _"]] | None = None
    """Of sentences: which glosses of each were chosen; None = all."""

    def __len__(self) -> int:
        return len(self.clips)

    def packed(self) -> State:
        """As a stage holds them, without negative ones, which every round finds anew."""
        soft, listed = self.distributions, (self.sequences, self.segments)
        return {
            "pseudo_clips": torch.from_numpy(self.clips),
            "pseudo_glosses": torch.from_numpy(self.glosses),
            "pseudo_weights": torch.from_numpy(self.weights),
            "pseudo_distributions": None if soft is None else torch.from_numpy(soft),
            **{
                name: None if found is None else [torch.from_numpy(one) for one in found]
                for name, found in zip(_LISTED, listed, strict=True)
            },
        }


_LISTED = ("pseudo_sequences", "pseudo_segments")


def unpacked_labels(stored: State) -> PseudoLabels:
    """What `packed` gave."""
    soft = stored.get("pseudo_distributions")
    sequences, segments = (
        None if (found := stored.get(name)) is None else [one.numpy() for one in found]
        for name in _LISTED
    )
    return PseudoLabels(
        stored["pseudo_clips"].numpy(),
        stored["pseudo_glosses"].numpy(),
        stored["pseudo_weights"].numpy(),
        None if soft is None else soft.numpy(),
        sequences=sequences,
        segments=segments,
    )


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
        case "folds":
            held_out = present(predictions.held_out, "predictions of held-out labelled clips")
            glosses = present(predictions.held_out_glosses, "glosses of held-out clips")
            apply_temperature(probabilities, fit_temperature(held_out, glosses))
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
    distributions = None
    if method.weight.is_soft:
        known = [] if kept.distributions is None else [kept.distributions]
        distributions = np.concatenate([*known, candidates.probabilities[rows]])[order]
    return PseudoLabels(
        clips[order],
        np.concatenate([kept.glosses, candidates.gloss[rows]])[order],
        np.concatenate([kept.weights, weights])[order],
        distributions,
        _negative(method, unlabelled, candidates, rows),
    )


def _negative(
    method: SslrConfig,
    unlabelled: Int[np.ndarray, " unlabelled"],
    candidates: Candidates,
    selected: Int[np.ndarray, " selected"],
) -> NegativeLabels | None:
    """What the clips that have no pseudo-label are not; None where nobody asks."""
    settings, excluded = method.needs.negative, candidates.evidence.excluded
    if settings is None or excluded is None:
        return None
    left = candidates.allowed.copy()
    left[selected] = False
    excluded = excluded.copy()
    # Refinement may have found another gloss than the passes with dropout.
    excluded[np.arange(len(left)), candidates.gloss] = False
    rows = np.flatnonzero(left & excluded.any(axis=1))
    return NegativeLabels(unlabelled[rows], excluded[rows], settings.weight)


def training_set(labelled: TrainingSet, pseudo: PseudoLabels, num_glosses: int) -> TrainingSet:
    """True labels, behind them pseudo-labels, behind them what other clips are not."""
    negative, targets = pseudo.negative, pseudo.distributions
    if labelled.sequences is not None:
        return extended_by_sentences(
            labelled, pseudo.clips, pseudo.weights, pseudo.sequences or (), pseudo.segments
        )
    if negative is None or not len(negative.clips):
        return extended(labelled, pseudo.clips, pseudo.glosses, pseudo.weights, targets)
    if targets is None:
        targets = np.eye(num_glosses, dtype=np.float32)[pseudo.glosses]
    shares = negative.excluded / negative.excluded.sum(axis=1, keepdims=True)
    num_clips = len(negative.clips)
    return extended(
        labelled,
        np.concatenate([pseudo.clips, negative.clips]),
        np.concatenate([pseudo.glosses, np.full(num_clips, UNLABELLED)]),
        np.concatenate([pseudo.weights, np.full(num_clips, negative.weight)]),
        np.concatenate([targets, -shares.astype(np.float32)]),
    )


def kept_labels(method: RoundsConfig, before: PseudoLabels) -> PseudoLabels:
    """Those that stay. Negative labels are found anew."""
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
        growth=method.growth_in(number),
        evidence=predictions.evidence,
    )
