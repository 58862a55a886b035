"""Isolated signs that are cut out of sentences: a problem of another kind on the same corpus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, Int64

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.split_checks import refuse_one_gloss
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError
from slr_ray.models.config import ModelConfig
from slr_ray.poses.normalisation import NormalisationConfig
from slr_ray.poses.reading import CutClips, ReadableClips
from slr_ray.training.problem import Problem


@dataclass(frozen=True, kw_only=True)
class SignsOfSentences(Problem):
    """A problem whose clips are signs, cut out of the sentences of a corpus, which names them."""

    signs: CutClips
    sign_glosses: Int64[np.ndarray, " signs"]

    @cached_property
    def source(self) -> ReadableClips:
        return self.signs

    @property
    def _gloss_index(self) -> Int[np.ndarray, " signs"]:
        return self.sign_glosses


def signs_of(
    problem: Problem,
    normalisation: NormalisationConfig,
    augmentation: AugmentationConfig,
    model: ModelConfig,
) -> SignsOfSentences:
    """The signs of the labelled and of the validation sentences, of those whose times are known.

    The rest says how they are seen and what learns from them. Raises `ConfigError` where no times
    of one of both sets are known, or there is nothing to tell apart.
    """
    corpus, sets = problem.corpus, (problem.labelled, problem.split.validation)
    parts = [_timed(corpus, clips) for clips in sets]
    for name, part in zip(("labelled", "validation"), parts, strict=True):
        if not len(part):
            raise ConfigError(
                f"{corpus.name}: no {name} sentence has true times, and a recogniser of isolated "
                "signs learns from signs that are cut out at them. Leave the measurement out"
            )
    clip, gloss, start, end = np.concatenate(parts).T
    training = np.arange(len(parts[0]))
    found = SignsOfSentences(
        corpus=corpus,
        split=Split(training, np.arange(len(training), len(clip)), np.zeros(0, np.int64)),
        labelled=training,
        unlabelled=np.zeros(0, np.int64),
        normalisation=normalisation,
        augmentation=augmentation,
        model=model,
        signs=CutClips(problem.source, clip, np.stack([start, end], axis=1)),
        sign_glosses=gloss,
    )
    refuse_one_gloss(corpus, gloss[training])
    return found


def _timed(corpus: Corpus, clips: Int[np.ndarray, " clips"]) -> Int64[np.ndarray, "signs 4"]:
    """Clip, gloss, start and end of every sign of some sentences."""
    found = [np.zeros((0, 4), np.int64)]
    for clip in clips.tolist():
        times, glosses = corpus.sequence_times(clip), corpus.sequence(clip)
        if times is not None:
            found.append(np.column_stack([np.full_like(glosses, clip), glosses, times]))
    return np.concatenate(found)
