"""What a selection of sentences did, for a person to read. Nothing here flows into a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, Int64

from slr_ray.methods.pseudo_labelling.audit import confidence_counts
from slr_ray.methods.pseudo_labelling.hypotheses import PoolHypotheses
from slr_ray.methods.pseudo_labelling.pseudo_labels import PseudoLabels
from slr_ray.records.audits.audit import Audit
from slr_ray.records.audits.sentences import SentenceAudit
from slr_ray.sentences.alignment import align
from slr_ray.sentences.steps import Glosses, Sequences
from slr_ray.sentences.word_errors import WordErrors, errors_by_sentence
from slr_ray.training.problem import Problem


def audit_sentences(
    problem: Problem,
    said: PoolHypotheses,
    left: Int[np.ndarray, " left"],
    before: PseudoLabels,
    pseudo: PseudoLabels,
) -> Audit:
    """Counts, confidences and, where hidden sequences exist, errors of one round's pseudo-labels.

    `left` are the rows of the pool that were not rejected; `before` are the pseudo-labels of the
    round before.
    """
    names, sequences = problem.corpus.glosses, pseudo.sequences or ()
    chosen = pseudo.segments or [np.ones(len(one), bool) for one in sequences]
    selected = np.isin(problem.unlabelled, pseudo.clips)
    then = dict(zip(before.clips.tolist(), before.sequences or (), strict=True))
    stayed = [
        np.array_equal(then[clip], one)
        for clip, one in zip(pseudo.clips.tolist(), sequences, strict=True)
        if clip in then
    ]
    counts, right, judged = _by_gloss(problem, pseudo.clips, sequences, chosen)
    pool = [np.ones(len(one), bool) for one in said.sequences]
    _, pool_right, pool_judged = _by_gloss(problem, problem.unlabelled, said.sequences, pool)
    return Audit(
        num_unlabelled=len(problem.unlabelled),
        num_selected=len(pseudo),
        num_added=len(pseudo) - len(stayed),
        num_changed=stayed.count(False),
        selected_per_gloss=dict(zip(names, counts.tolist(), strict=True)),
        confidence_counts=confidence_counts(said.confidence),
        selected_confidence_counts=confidence_counts(said.confidence[selected]),
        precision=float(right.sum() / judged.sum()) if judged.any() else None,
        num_judged=int(problem.corpus.is_labelled[pseudo.clips].sum()),
        pool_accuracy=float(pool_right.sum() / pool_judged.sum()) if pool_judged.any() else None,
        precision_per_gloss=(
            {names[one]: float(right[one] / judged[one]) for one in np.flatnonzero(judged)}
            if judged.any()
            else None
        ),
        calibration_error=None,
        num_rejected=len(problem.unlabelled) - len(left),
        sentences=SentenceAudit(
            wer=_wer(problem, pseudo.clips, sequences),
            pool_wer=_wer(problem, problem.unlabelled, said.sequences),
            num_by_length=dict(sorted(Counter(len(one) for one in sequences).items())),
        ),
    )


def _by_gloss(
    problem: Problem,
    clips: Int[np.ndarray, " clips"],
    sequences: Sequences,
    chosen: Sequence[Bool[np.ndarray, " _"]],
) -> tuple[Int64[np.ndarray, " glosses"], ...]:
    """Chosen glosses: all of them, the right ones, those of sentences whose truth is known."""
    counts, right, judged = np.zeros((3, problem.num_glosses), np.int64)
    known = problem.corpus.is_labelled[clips]
    for true, one, own, has_truth in zip(
        problem.sequences(clips), sequences, chosen, known, strict=True
    ):
        np.add.at(counts, one[own], 1)
        if has_truth:
            np.add.at(judged, one[own], 1)
            np.add.at(right, one[own & _matches(one, true)], 1)
    return counts, right, judged


def _matches(said: Glosses, true: Glosses) -> Bool[np.ndarray, " glosses"]:
    found: np.ndarray = np.zeros(len(said), bool)
    matches = [one.hypothesis for one in align(said, true) if one.is_match]
    found[np.array(matches, np.int64)] = True
    return found


def _wer(problem: Problem, clips: Int[np.ndarray, " clips"], sequences: Sequences) -> float | None:
    """Against hidden sequences; None where none is known."""
    known = np.flatnonzero(problem.corpus.is_labelled[clips])
    if not len(known):
        return None
    said = [sequences[row] for row in known.tolist()]
    return WordErrors.together(errors_by_sentence(problem.sequences(clips[known]), said)).rate
