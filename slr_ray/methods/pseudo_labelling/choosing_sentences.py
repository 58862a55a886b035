"""From a round's model to the pseudo-labelled sentences of the next: decode, choose, look at it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slr_ray.corpora.arrays import UNLABELLED
from slr_ray.experiment.rounds.sentences import SentenceRoundsConfig
from slr_ray.methods.pseudo_labelling.choosing import Chosen, why_nothing_left
from slr_ray.methods.pseudo_labelling.hypotheses import decode_pool
from slr_ray.methods.pseudo_labelling.pseudo_labels import PseudoLabels, kept_labels
from slr_ray.methods.pseudo_labelling.sentence_audit import audit_sentences
from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.sentences.selection.candidates import SentenceCandidates
from slr_ray.sentences.selection.degenerate import not_degenerate
from slr_ray.sentences.selection.segment_wise import SegmentWise
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.speeds import labelled_lengths
from slr_ray.workers.place import Place


def choose_sentences(
    problem: Problem,
    training: TrainingConfig,
    method: SentenceRoundsConfig,
    place: Place,
    teacher: SentenceModel,
    before: PseudoLabels,
    number: int,
) -> Chosen:
    """The pseudo-labels of round `number`: those of the round before that stay, and new ones."""
    said = decode_pool(problem, teacher, training, method.confidence, place)
    labelled = labelled_lengths(problem, training.max_frames)
    stays = not_degenerate(method.reject, said.sequences, said.num_steps, labelled)
    left = np.flatnonzero(stays)
    kept, pool = kept_labels(method, before), problem.unlabelled[left]
    candidates = SentenceCandidates(
        sequences=[said.sequences[row] for row in left.tolist()],
        sentence_confidence=said.confidence[left],
        spike_confidence=[said.spike_confidence[row] for row in left],
        num_glosses=problem.num_glosses,
        allowed=~np.isin(pool, kept.clips),
        round=number,
        growth=method.growth_in(number),
    )
    rows = method.selection.select(candidates)
    new = PseudoLabels(
        pool[rows],
        np.full(len(rows), UNLABELLED),
        method.weight.weigh(candidates, rows),
        sequences=[candidates.sequences[row] for row in rows.tolist()],
    )
    if isinstance(method.selection, SegmentWise):
        segments = method.selection.segments(candidates)
        new = replace(new, segments=[segments[row] for row in rows])
    pseudo = _together(kept, new)
    audit = audit_sentences(problem, said, left, before, pseudo)
    return Chosen(pseudo, audit, why_nothing_left(method, pseudo, audit, candidates))


def _together(kept: PseudoLabels, new: PseudoLabels) -> PseudoLabels:
    """Both, in ascending order of clips."""
    clips = np.concatenate([kept.clips, new.clips])
    order = np.argsort(clips, kind="stable")
    sequences = [*(kept.sequences or ()), *(new.sequences or ())]
    segments = None
    if new.segments is not None:
        both = [*(kept.segments or ()), *new.segments]
        segments = [both[row] for row in order]
    return PseudoLabels(
        clips[order],
        np.full(len(clips), UNLABELLED),
        np.concatenate([kept.weights, new.weights])[order],
        sequences=[sequences[row] for row in order],
        segments=segments,
    )
