"""What a model says of sentences: glosses, and where in the clip each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Int64

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.models.streams.sentence_model import Heads, SentenceModel
from slr_ray.poses.batch import thinned
from slr_ray.poses.normalisation import NormalisationConfig, readable
from slr_ray.poses.reading import ReadableClips, in_batches
from slr_ray.poses.sentence import FRAMES_A_STEP
from slr_ray.sentences.beam_search import beam_search
from slr_ray.sentences.decoding import Hypothesis, best_paths
from slr_ray.sentences.segment_scores import in_frames
from slr_ray.sentences.segments import Segments, segments_of
from slr_ray.training.batches import model_input
from slr_ray.training.config import TrainingConfig
from slr_ray.training.prediction import autocast, evaluating
from slr_ray.training.problem import Problem
from slr_ray.training.sentences.config import SentencesConfig
from slr_ray.training.sentences.signing import signing_steps
from slr_ray.workers.place import Place

_BATCH_CLIPS = 64


@dataclass(frozen=True)
class StepProbabilities:
    """Of a batch of sentences, in the order of `places`; steps behind `num_steps` are padding."""

    places: Int64[np.ndarray, " sentences"]
    """Of the clips among those that were asked for."""
    log_probs: Float[np.ndarray, "sentences steps classes"]
    frames: Float[np.ndarray, "sentences steps classes"] | None
    """The same of the head that knows no blank, whose column is minus infinity; None where it was
    never trained."""
    num_steps: Int64[np.ndarray, " sentences"]
    signing: Int64[np.ndarray, "sentences 2"]
    """See `signing_steps`."""


@dataclass(frozen=True)
class Said:
    """What a model says of one sentence."""

    hypothesis: Hypothesis
    segments: Segments
    """In steps."""
    times: Int64[np.ndarray, "glosses 2"]
    """The segments in frames of the clip, the end not included."""
    spike_frames: Int64[np.ndarray, " glosses"]
    """The first frame of each spike's step."""


def step_probabilities(
    model: SentenceModel,
    source: ReadableClips,
    clips: Int[np.ndarray, " clips"],
    *,
    normalisation: NormalisationConfig,
    training: TrainingConfig,
    device: torch.device,
    views: tuple[AugmentationConfig, torch.Generator] | None = None,
) -> Iterator[StepProbabilities]:
    """Of clips of `source`, batch by batch; clips of similar length share one.

    With `views` of one augmented view of each.
    """
    seen = readable(source, normalisation)
    augmentation, generator = views or (None, None)
    with evaluating(model):
        for places, padded in in_batches(seen, clips, _BATCH_CLIPS, training.max_frames):
            with torch.inference_mode(), autocast(device, training.precision):
                inputs, mask = model_input(
                    padded.to(device), normalisation, augmentation, generator
                )
                heads: Heads = model(inputs, mask)
                log_probs = heads.answer.float().log_softmax(dim=2).cpu().numpy()
                frames = None
                if model.knows_frames:
                    known = heads.frames.float().log_softmax(dim=2)
                    frames = torch.nn.functional.pad(known, (1, 0), value=-torch.inf).cpu().numpy()
            yield StepProbabilities(
                places,
                log_probs,
                frames,
                heads.mask.sum(dim=1).cpu().numpy(),
                signing_steps(padded),
            )


def step_probabilities_on(
    problem: Problem,
    model: SentenceModel,
    clips: Int[np.ndarray, " clips"],
    training: TrainingConfig,
    place: Place,
    views: tuple[AugmentationConfig, torch.Generator] | None = None,
) -> Iterator[StepProbabilities]:
    """`step_probabilities` for clips of a problem."""
    return step_probabilities(
        model,
        problem.source,
        clips,
        normalisation=problem.normalisation,
        training=training,
        device=place.device,
        views=views,
    )


def said(
    found: StepProbabilities,
    num_frames: Int[np.ndarray, " sentences"],
    settings: SentencesConfig,
    max_frames: int | None,
) -> list[Said]:
    """A batch decoded; `num_frames` are those of the whole clips.

    Segments are drawn around the spikes by the head that knows no blank, where there is one, else
    by CTC's.
    """
    hypotheses = decoded(found, settings.decoding.beam)
    by = found.log_probs if found.frames is None else found.frames
    segments = segments_of(by, found.num_steps, hypotheses, settings.dplr, found.signing)
    return [
        _in_frames(hypothesis, own, int(count), max_frames)
        for hypothesis, own, count in zip(hypotheses, segments, num_frames, strict=True)
    ]


def decoded(found: StepProbabilities, beam: int) -> list[Hypothesis]:
    """The glosses of a batch."""
    if beam == 1:
        return best_paths(found.log_probs, found.num_steps)
    return [best for best, *_ in beam_search(found.log_probs, found.num_steps, beam)]


def _in_frames(
    hypothesis: Hypothesis, segments: Segments, num_frames: int, max_frames: int | None
) -> Said:
    """Of a clip of `num_frames`. Of a longer one than the model reads, a segment goes half-way to
    the next frame that was read, so that segments that meet still do.
    """
    read = thinned(num_frames, max_frames)
    edges = np.concatenate([[0], (read[:-1] + read[1:] + 1) // 2, [num_frames]])
    times = edges[in_frames(segments.bounds, len(read))]
    return Said(hypothesis, segments, times, read[FRAMES_A_STEP * hypothesis.steps])
