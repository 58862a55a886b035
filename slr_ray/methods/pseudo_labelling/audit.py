"""What a selection did, for a person to read. Nothing here flows back into a decision."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.corpora.arrays import UNKNOWN_GLOSS, UNLABELLED
from slr_ray.evaluation.metrics import calibration_error
from slr_ray.methods.pseudo_labelling.pseudo_labels import NegativeLabels, PseudoLabels
from slr_ray.records.audits.audit import Audit, OpenAudit
from slr_ray.training.problem import Problem

_BINS = 20


def audit_selection(
    problem: Problem,
    probabilities: Float[np.ndarray, "unlabelled glosses"],
    left: Int[np.ndarray, " left"],
    before: PseudoLabels,
    pseudo: PseudoLabels,
) -> Audit:
    """Counts, confidences and, where hidden labels exist, precision of one round's pseudo-labels.

    `left` are the rows of the pool that were not rejected; `before` are the pseudo-labels of the
    round before.
    """
    names, clips, glosses = problem.corpus.glosses, pseudo.clips, pseudo.glosses
    confidence = probabilities.max(axis=1)
    selected = np.isin(problem.unlabelled, clips)
    stayed, now, then = np.intersect1d(clips, before.clips, assume_unique=True, return_indices=True)
    hidden = problem.glosses(problem.unlabelled)
    rejected = np.ones(len(hidden), bool)
    rejected[left] = False
    known = hidden != UNLABELLED
    truth = problem.glosses(clips)
    judged = truth != UNLABELLED
    counts = np.bincount(glosses, minlength=len(names))
    correct = np.bincount(glosses[judged & (glosses == truth)], minlength=len(names))
    judged_counts = np.bincount(glosses[judged], minlength=len(names))
    has_truth = bool(judged.any())
    return Audit(
        num_unlabelled=len(problem.unlabelled),
        num_selected=len(clips),
        num_added=len(clips) - len(stayed),
        num_changed=int((glosses[now] != before.glosses[then]).sum()),
        selected_per_gloss={name: int(count) for name, count in zip(names, counts, strict=True)},
        confidence_counts=confidence_counts(confidence),
        selected_confidence_counts=confidence_counts(confidence[selected]),
        precision=float((glosses[judged] == truth[judged]).mean()) if has_truth else None,
        pool_accuracy=(
            float((probabilities[known].argmax(axis=1) == hidden[known]).mean())
            if known.any()
            else None
        ),
        precision_per_gloss=(
            {
                name: float(correct[gloss] / judged_counts[gloss])
                for gloss, name in enumerate(names)
                if judged_counts[gloss]
            }
            if has_truth
            else None
        ),
        calibration_error=(
            calibration_error(probabilities[known], hidden[known]) if known.any() else None
        ),
        num_judged=int(judged.sum()),
        num_negative=0 if pseudo.negative is None else len(pseudo.negative.clips),
        negative_precision=_negative_precision(problem, pseudo.negative),
        num_rejected=int(rejected.sum()),
        num_rejected_wrongly=int((rejected & (hidden >= 0)).sum()) if known.any() else None,
        open_pool=_open_audit(hidden == UNKNOWN_GLOSS, selected, rejected),
    )


def _open_audit(
    unknown: Bool[np.ndarray, " unlabelled"],
    selected: Bool[np.ndarray, " unlabelled"],
    rejected: Bool[np.ndarray, " unlabelled"],
) -> OpenAudit | None:
    if not unknown.any():
        return None
    return OpenAudit(
        num_unknown=int(unknown.sum()),
        num_selected=int((unknown & selected).sum()),
        num_rejected=int((unknown & rejected).sum()),
    )


def _negative_precision(problem: Problem, negative: NegativeLabels | None) -> float | None:
    if negative is None:
        return None
    truth = problem.glosses(negative.clips)
    judged, of_corpus = truth != UNLABELLED, truth >= 0
    if not judged.any():
        return None
    # A clip of another gloss than the corpus's is none of those that it is said not to be.
    wrong = negative.excluded[np.flatnonzero(of_corpus), truth[of_corpus]].sum()
    return float(1 - wrong / negative.excluded[judged].sum())


def confidence_counts(confidence: Float[np.ndarray, " clips"]) -> list[int]:
    """Clips in equal bins from 0 to 1."""
    counts, _ = np.histogram(confidence, bins=_BINS, range=(0, 1))
    return [int(count) for count in counts]
