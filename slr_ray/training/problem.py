"""What a model is trained on: corpus, split, pools and the way from poses to input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, Int64

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.corpora.arrays import UNKNOWN_GLOSS, UNLABELLED
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.splits import Split
from slr_ray.models.config import AnyRecogniser, ModelConfig, new_recogniser
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig, num_channels, readable
from slr_ray.poses.reading import ReadableClips
from slr_ray.training.labels.sampling import TrainingSet, true_labels, true_sentences
from slr_ray.training.sentences.config import SentencesConfig
from slr_ray.training.unlabelled import NO_CLIPS, UnlabelledClips


@dataclass(frozen=True)
class Problem:
    """One draw of labels on one corpus, with the settings that all methods share."""

    corpus: Corpus
    split: Split
    labelled: Int[np.ndarray, " labelled"]
    """Training clips whose gloss the method sees."""
    unlabelled: Int[np.ndarray, " unlabelled"]
    """Clips whose gloss it does not see: training clips, then those of the open pool."""
    normalisation: NormalisationConfig
    augmentation: AugmentationConfig
    model: ModelConfig
    open_pool: UnlabelledClips = NO_CLIPS
    """Clips of other corpora, counted on from the corpus's own."""
    sentences: SentencesConfig | None = None
    """How sentences are trained on; None where clips are isolated signs."""
    test_time_views: int = 1
    """Of a clip, the mean over which is the final answer."""

    @property
    def num_glosses(self) -> int:
        return len(self.corpus.glosses)

    @property
    def sentence_settings(self) -> SentencesConfig:
        """`sentences`; `ValueError` where clips are isolated signs."""
        if self.sentences is None:
            raise ValueError("a problem of isolated signs has no sentences")
        return self.sentences

    @cached_property
    def source(self) -> ReadableClips:
        """Every clip that an index of the problem may name."""
        if not len(self.open_pool):
            return self.corpus
        own = (self.corpus, np.arange(self.corpus.num_clips))
        return UnlabelledClips((own, *self.open_pool.parts))

    @property
    def clips(self) -> ReadableClips:
        """The same with the frames that the normalisation wants to see."""
        return readable(self.source, self.normalisation)

    def new_model(self) -> Model:
        """A model with fresh weights, drawn from torch's global generator."""
        return self.model.build(num_channels(self.normalisation), self.num_glosses)

    def new_recogniser(self) -> AnyRecogniser:
        """The same, or a model of sentences where the problem has these."""
        return new_recogniser(
            self.model,
            num_channels(self.normalisation),
            self.num_glosses,
            of_sentences=self.sentences is not None,
        )

    def sequences(self, clips: Int[np.ndarray, " clips"]) -> list[Int64[np.ndarray, " _"]]:
        """What is signed in sentences; only of labelled, validation and test ones, and audits."""
        return [self.corpus.sequence(int(clip)) for clip in clips]

    def glosses(self, clips: Int[np.ndarray, " clips"]) -> Int[np.ndarray, " clips"]:
        """Glosses of clips as int64. Only for labelled, validation and test clips, and audits.

        Audits may meet `UNLABELLED` and, in an open pool, `UNKNOWN_GLOSS`.
        """
        glosses: np.ndarray = self._gloss_index[clips].astype(np.int64)
        return glosses

    @property
    def _gloss_index(self) -> Int[np.ndarray, " all"]:
        if not len(self.open_pool):
            return self.corpus.gloss_index
        own = {name: index for index, name in enumerate(self.corpus.glosses)}
        found = [self.corpus.gloss_index]
        for extra, clips in self.open_pool.parts:
            # The last one answers for clips without a gloss, whose index is -1.
            named = [*(own.get(name, UNKNOWN_GLOSS) for name in extra.glosses), UNLABELLED]
            found.append(np.array(named, np.int32)[extra.gloss_index[clips]])
        return np.concatenate(found)


def labelled_set(problem: Problem) -> TrainingSet:
    """The labelled pool with its glosses, or gloss sequences."""
    clips = problem.labelled
    if problem.sentences is not None:
        return true_sentences(clips, problem.sequences(clips))
    return true_labels(clips, problem.glosses(clips))
