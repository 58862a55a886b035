"""What a model's answers on test sentences leave behind: record and predictions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from slr_ray.records.measured import LengthErrors, MeasuredRecord, SeedRecord, SentenceMetrics
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.word_errors import WordErrors, paired
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.measuring import Answers, errors_of, measured


def sentence_record(
    problem: Problem,
    seed: int,
    validation: SentenceMetrics,
    test: Answers,
    trained: SeedRecord,
) -> MeasuredRecord:
    """The record of a model that was chosen by `validation`."""
    clips = problem.split.test
    counts, num_true, num_said = _aligned(problem, test)
    total = num_true + num_said
    return MeasuredRecord(
        seed=seed,
        num_steps=sum(one.num_steps for one in trained.rounds),
        training_s=sum(one.training_s for one in trained.rounds),
        validation=validation,
        test=measured(problem, clips, test),
        f1_per_gloss={
            problem.corpus.glosses[gloss]: float(2 * counts[gloss, gloss] / total[gloss])
            for gloss in np.flatnonzero(total)
        },
        confusion=counts.tolist(),
        by_length=_by_length(problem, test),
        trained=trained,
    )


def sentence_answers(problem: Problem, given: Answers) -> list[SentencePrediction]:
    """What a model said of the test sentences, in their order."""
    corpus, clips = problem.corpus, problem.split.test
    ids = corpus.clip_ids.take(clips).to_pylist()
    found = []
    for clip_id, clip, said in zip(ids, clips.tolist(), given.said, strict=True):
        times = corpus.sequence_times(clip)
        found.append(
            SentencePrediction(
                clip_id=clip_id,
                signer=corpus.signer(clip),
                num_frames=int(corpus.num_frames[clip]),
                glosses=_names(problem, corpus.sequence(clip)),
                starts=None if times is None else tuple(times[:, 0].tolist()),
                ends=None if times is None else tuple(times[:, 1].tolist()),
                predicted=_names(problem, said.hypothesis.glosses),
                predicted_starts=tuple(said.times[:, 0].tolist()),
                predicted_ends=tuple(said.times[:, 1].tolist()),
                spikes=tuple(said.spike_frames.tolist()),
            )
        )
    return found


def _names(problem: Problem, glosses: Int64[np.ndarray, " _"]) -> tuple[str, ...]:
    return tuple(problem.corpus.glosses[gloss] for gloss in glosses)


def _aligned(
    problem: Problem, given: Answers
) -> tuple[Int64[np.ndarray, "_ _"], Int64[np.ndarray, " _"], Int64[np.ndarray, " _"]]:
    """Which gloss is said in the place of which; how often each is true, how often said."""
    count = problem.num_glosses
    counts = np.zeros((count, count), np.int64)
    num_true, num_said = np.zeros(count, np.int64), np.zeros(count, np.int64)
    sequences = problem.sequences(problem.split.test)
    for true, own in zip(sequences, given.said, strict=True):
        said = own.hypothesis.glosses
        num_true += np.bincount(true, minlength=count)
        num_said += np.bincount(said, minlength=count)
        for gloss, named in paired(true.tolist(), said.tolist()):
            if gloss is not None and named is not None:
                counts[gloss, named] += 1
    return counts, num_true, num_said


def _by_length(problem: Problem, given: Answers) -> tuple[LengthErrors, ...]:
    errors = errors_of(problem, problem.split.test, given)
    found = []
    for length in sorted({one.num_glosses for one in errors}):
        own = [one for one in errors if one.num_glosses == length]
        found.append(
            LengthErrors(num_glosses=length, num_clips=len(own), wer=WordErrors.together(own).rate)
        )
    return tuple(found)
