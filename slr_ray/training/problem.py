"""What a model is trained on: corpus, split, pools and the way from poses to input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.corpora.corpus import Corpus
from slr_ray.corpora.splits import Split
from slr_ray.errors import ConfigError
from slr_ray.models.config import ModelConfig
from slr_ray.models.model import Model
from slr_ray.poses.normalisation import NormalisationConfig, num_channels, readable
from slr_ray.poses.reading import ReadableClips


@dataclass(frozen=True)
class Problem:
    """One draw of labels on one corpus, with the settings that all methods share."""

    corpus: Corpus
    split: Split
    labelled: Int[np.ndarray, " labelled"]
    """Training clips whose gloss the method sees."""
    unlabelled: Int[np.ndarray, " unlabelled"]
    """Training clips whose gloss it does not see."""
    normalisation: NormalisationConfig
    augmentation: AugmentationConfig
    model: ModelConfig

    @property
    def num_glosses(self) -> int:
        return len(self.corpus.glosses)

    @property
    def clips(self) -> ReadableClips:
        """The corpus's clips with the frames that the normalisation wants to see."""
        return readable(self.corpus, self.normalisation)

    def new_model(self) -> Model:
        """A model with fresh weights, drawn from torch's global generator."""
        return self.model.build(num_channels(self.normalisation), self.num_glosses)

    def glosses(self, clips: Int[np.ndarray, " clips"]) -> Int[np.ndarray, " clips"]:
        """Glosses of clips as int64. Only for labelled, validation and test clips, and audits."""
        glosses: np.ndarray = self.corpus.gloss_index[clips].astype(np.int64)
        return glosses


def check_glosses(problem: Problem) -> None:
    """`ConfigError` where there is nothing to tell apart."""
    count = len(np.unique(problem.glosses(problem.labelled)))
    if count < 2:
        raise ConfigError(
            f"{problem.corpus.name} has labelled training clips of {count} gloss: an evaluation "
            "needs at least 2. Give data with more glosses, or label more clips"
        )
