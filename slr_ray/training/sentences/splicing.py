"""Sentences that nobody signed: the front of one and the end of another, cut between two glosses.

Cross modality augmentation (Pu et al. 2020, arXiv 2010.05264) replaces, leaves out and inserts
glosses and their pictures alike, and teaches a model how far that is from what was signed. Ours
are sentences like any other: every transition but one is as it was signed, and they are cut, in
features instead of pictures, where the training's own model tells the glosses by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64, Int

from slr_ray.models.streams.sentence_model import SentenceModel
from slr_ray.poses.sentence import num_steps_of
from slr_ray.sentences.decoding import best_paths
from slr_ray.sentences.segments import segments_of
from slr_ray.sentences.steps import Sequences, min_steps
from slr_ray.training.config import TrainingConfig
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.batch import SentenceBatch
from slr_ray.training.sentences.prediction import step_probabilities_on
from slr_ray.workers.place import Place

Cuts = Float64[np.ndarray, " _"]
"""Where a sentence can be cut, in shares of its length: between each two glosses, or nowhere."""


def where_to_cut(
    problem: Problem,
    model: SentenceModel,
    clips: Int[np.ndarray, " sentences"],
    sequences: Sequences,
    training: TrainingConfig,
    place: Place,
) -> list[Cuts]:
    """Where the segments of two glosses meet, by what `model` says of each whole sentence.

    Nowhere in one of which it does not say the very `sequences`: what it gets wrong it can't place.
    """
    cuts = [np.empty(0)] * len(clips)
    for found in step_probabilities_on(problem, model, clips, training, place):
        said = best_paths(found.log_probs, found.num_steps)
        dplr = problem.sentence_settings.dplr
        segments = segments_of(found.log_probs, found.num_steps, said, dplr)
        for at, own, num_steps in zip(
            found.places.tolist(), segments, found.num_steps, strict=True
        ):
            if np.array_equal(own.glosses, sequences[at]):
                cuts[at] = own.bounds[:-1, 1] / num_steps
    return cuts


def spliced(
    batch: SentenceBatch, cuts: Sequence[Cuts], probability: float, rng: np.random.Generator
) -> SentenceBatch:
    """Each sentence that can be cut, with this probability, with the end of another of the batch.

    No longer than the longest of the batch; where two do not fit, or leave too few steps for their
    glosses, the sentence stays whole. `cuts` are those of the batch's sentences.
    """
    lengths = batch.mask.sum(dim=1).cpu().numpy()
    longest = batch.mask.shape[1]
    source = np.repeat(np.arange(len(batch))[:, None], longest, axis=1)
    frame = np.repeat(np.arange(longest)[None], len(batch), axis=0)
    ends, sequences, segments = lengths.copy(), list(batch.sequences), list(batch.segments)
    weights = batch.weights.copy()
    signing = None if batch.signing is None else batch.signing.copy()
    cuttable = [row for row, one in enumerate(cuts) if len(one)]
    for row in cuttable if len(cuttable) > 1 else ():
        other = int(rng.choice([one for one in cuttable if one != row]))
        meets, begins = (np.round(cuts[one] * lengths[one]).astype(int) for one in (row, other))
        total = meets[:, None] + lengths[other] - begins
        short = np.argwhere(total <= longest)
        if rng.random() >= probability or not len(short):
            continue
        before, behind = (int(one) for one in rng.choice(short))
        meet, begin, end = int(meets[before]), int(begins[behind]), int(total[before, behind])
        glosses = _joined(batch.sequences, row, before, other, behind)
        if num_steps_of(end) < min_steps(glosses):
            continue
        source[row, meet:end] = other
        frame[row, meet:end] = np.arange(begin, lengths[other])
        ends[row], sequences[row] = end, glosses
        segments[row] = _joined(batch.segments, row, before, other, behind)
        weights[row] = (batch.weights[row] + batch.weights[other]) / 2
        if batch.signing is not None and signing is not None:
            rest = num_steps_of(int(lengths[other])) - batch.signing[other, 1]
            signing[row, 1] = num_steps_of(end) - rest
    device = batch.inputs.device
    mask = torch.from_numpy(np.arange(longest) < ends[:, None]).to(device)
    moved = batch.inputs[torch.from_numpy(source).to(device), torch.from_numpy(frame).to(device)]
    return replace(
        batch,
        inputs=moved * mask[..., None],
        mask=mask,
        sequences=sequences,
        segments=segments,
        weights=weights,
        signing=signing,
    )


def _joined(
    each: Sequence[np.ndarray], row: int, before: int, other: int, behind: int
) -> np.ndarray:
    """What belongs to the glosses up to `before` of one and those behind `behind` of another."""
    return np.concatenate([each[row][: before + 1], each[other][behind + 1 :]])
