"""The settings of step-by-step semi-supervision, of signs and of sentences."""

from __future__ import annotations

from typing import Literal, TypeAlias

from slr_ray.training.consistency.config import StreamConfig
from slr_ray.training.sentences.stream_config import SentenceStreamConfig


class ConsistencyConfig(StreamConfig):
    """One training in which every step also has unlabelled clips, pseudo-labelled at once.

    It takes the `training` section's steps, so that fully supervised learning with the same section
    has as many.
    """

    kind: Literal["consistency"] = "consistency"


class SentenceConsistencyConfig(SentenceStreamConfig):
    """The same of sentences: momentum pseudo-labelling (Higuchi et al. 2021, arXiv 2106.08922)."""

    kind: Literal["consistency_sentences"] = "consistency_sentences"


StepByStep: TypeAlias = ConsistencyConfig | SentenceConsistencyConfig
