"""How good a model is on sentences whose glosses are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int

from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.records.measured import SentenceMetrics
from slr_ray.sentences.ctc import ctc_loss
from slr_ray.sentences.segment_scores import count_segments, figures_in_time, non_blank_share
from slr_ray.sentences.word_errors import WordErrors, errors_by_sentence
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.prediction import (
    Said,
    StepProbabilities,
    said,
    step_probabilities_on,
)
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class Answers:
    """What a model says of some clips of a problem, in their order."""

    said: Sequence[Said]
    losses: Float64[np.ndarray, " sentences"]
    """CTC's, with the true sequences."""
    non_blank_share: float
    """Of all steps."""


def answers_on(
    problem: Problem,
    model: SentenceModel,
    clips: Int[np.ndarray, " clips"],
    config: TrainingConfig,
    place: Place,
) -> Answers:
    """What `model` says of clips whose sentences are known."""
    found = step_probabilities_on(problem, model, clips, config, place)
    return answers_of(problem, clips, found, config.max_frames)


def answers_of(
    problem: Problem,
    clips: Int[np.ndarray, " clips"],
    batches: Iterable[StepProbabilities],
    max_frames: int | None,
) -> Answers:
    """The same of what was said of the steps of clips, of whose frames `max_frames` were read."""
    settings = problem.sentence_settings
    sequences, num_frames = problem.sequences(clips), problem.source.num_frames[clips]
    found: dict[int, Said] = {}
    losses = np.zeros(len(clips))
    non_blank, num_steps = 0.0, 0
    for batch in batches:
        places = batch.places
        own = said(batch, num_frames[places], settings, max_frames)
        found.update(zip(places.tolist(), own, strict=True))
        losses[places] = ctc_loss(
            torch.from_numpy(batch.log_probs),
            torch.from_numpy(batch.num_steps),
            [sequences[one] for one in places],
        )
        own_steps = int(batch.num_steps.sum())
        non_blank += own_steps * non_blank_share(batch.log_probs, batch.num_steps)
        num_steps += own_steps
    return Answers([found[one] for one in range(len(clips))], losses, non_blank / num_steps)


def measured(problem: Problem, clips: Int[np.ndarray, " clips"], given: Answers) -> SentenceMetrics:
    """The figures of some answers; `ValueError` where there is no sentence."""
    if len(clips) == 0:
        raise ValueError("no sentence to measure on")
    errors = WordErrors.together(errors_of(problem, clips, given))
    return SentenceMetrics(
        num_clips=len(clips),
        num_glosses=errors.num_glosses,
        loss=float(given.losses.mean()),
        gloss_accuracy=errors.gloss_accuracy,
        wer=errors.rate,
        substitutions=errors.substitutions,
        deletions=errors.deletions,
        insertions=errors.insertions,
        non_blank_share=given.non_blank_share,
        **_in_time(problem, clips, given),
    )


def errors_of(
    problem: Problem, clips: Int[np.ndarray, " clips"], given: Answers
) -> list[WordErrors]:
    """Of each sentence."""
    hypotheses = [one.hypothesis.glosses for one in given.said]
    return errors_by_sentence(problem.sequences(clips), hypotheses)


def _in_time(
    problem: Problem, clips: Int[np.ndarray, " clips"], given: Answers
) -> dict[str, float]:
    """Frame accuracy and F1 of segments over the sentences whose true times are known."""
    corpus, counts = problem.corpus, []
    for clip, own in zip(clips.tolist(), given.said, strict=True):
        times = corpus.sequence_times(clip)
        if times is not None:
            said = own.hypothesis.glosses
            counts.append(count_segments(said, own.times, corpus.sequence(clip), times))
    return figures_in_time(counts)
