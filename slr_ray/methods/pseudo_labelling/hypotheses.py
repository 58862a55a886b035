"""What a round's model says of the unlabelled sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.sentences.beam_search import beam_search
from slr_ray.sentences.decoding import Hypothesis, best_paths
from slr_ray.sentences.lattice import log_likelihoods
from slr_ray.sentences.sequence_confidence import (
    SequenceConfidence,
    by_likelihood,
    by_margin,
    by_views,
    spike_confidence,
)
from slr_ray.sentences.steps import Sequences
from slr_ray.training.config import TrainingConfig
from slr_ray.training.prediction import VIEWS_SEED
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.prediction import StepProbabilities, decoded, step_probabilities_on
from slr_ray.workers.place import Place


@dataclass(frozen=True)
class PoolHypotheses:
    """Of each unlabelled sentence, in the order of the pool."""

    sequences: Sequences
    num_steps: Int64[np.ndarray, " unlabelled"]
    confidence: Float64[np.ndarray, " unlabelled"]
    """Of each as a whole, as `SequenceConfidence` says."""
    spike_confidence: list[Float64[np.ndarray, " _"]]
    """Of each gloss of each."""


def decode_pool(
    problem: Problem,
    model: SentenceModel,
    training: TrainingConfig,
    measure: SequenceConfidence,
    place: Place,
) -> PoolHypotheses:
    """The pool decoded as validation is; the same views at every call."""
    clips, settings = problem.unlabelled, problem.sentence_settings
    count = len(clips)
    found: dict[int, Hypothesis] = {}
    spikes: dict[int, Float64[np.ndarray, " _"]] = {}
    num_steps, sure = np.zeros(count, np.int64), np.ones(count)
    for batch in step_probabilities_on(problem, model, clips, training, place):
        hypotheses, sure[batch.places] = _decoded(batch, measure, settings.decoding.beam)
        num_steps[batch.places] = batch.num_steps
        for row, (at, one) in enumerate(zip(batch.places.tolist(), hypotheses, strict=True)):
            found[at], spikes[at] = one, spike_confidence(batch.log_probs[row], one)
    sequences = [found[at].glosses for at in range(count)]
    if measure.compares_views:
        sure *= by_views(sequences, _of_views(problem, model, training, measure.num_views, place))
    return PoolHypotheses(sequences, num_steps, sure, [spikes[at] for at in range(count)])


def _decoded(
    batch: StepProbabilities, measure: SequenceConfidence, beam: int
) -> tuple[list[Hypothesis], Float64[np.ndarray, " sentences"]]:
    """The model's answers, and how sure they are by themselves; 1 where only views count."""
    if measure.measure == "margin":
        # The best path alone has no second best.
        pairs = beam_search(batch.log_probs, batch.num_steps, max(beam, 2), num_best=2)
        best = np.array([pair[0].log_probability for pair in pairs])
        second = [pair[1].log_probability if len(pair) > 1 else -np.inf for pair in pairs]
        hypotheses = [pair[0] for pair in pairs] if beam > 1 else decoded(batch, beam)
        return hypotheses, by_margin(best, np.array(second))
    hypotheses = decoded(batch, beam)
    if measure.measure == "views":
        return hypotheses, np.ones(len(hypotheses))
    sequences = [one.glosses for one in hypotheses]
    totals = log_likelihoods(batch.log_probs, batch.num_steps, sequences)
    return hypotheses, by_likelihood(totals, np.array([len(one) for one in sequences]))


def _of_views(
    problem: Problem, model: SentenceModel, training: TrainingConfig, num_views: int, place: Place
) -> list[Sequences]:
    """The best paths of augmented views."""
    clips = problem.unlabelled
    augmented = (problem.augmentation, torch.Generator().manual_seed(VIEWS_SEED))
    views: list[Sequences] = []
    for _ in range(num_views):
        found: dict[int, Int64[np.ndarray, " _"]] = {}
        for batch in step_probabilities_on(problem, model, clips, training, place, augmented):
            paths = best_paths(batch.log_probs, batch.num_steps)
            found |= {at: one.glosses for at, one in zip(batch.places.tolist(), paths, strict=True)}
        views.append([found[at] for at in range(len(clips))])
    return views
