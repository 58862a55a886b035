"""Linear evaluation as a method, so that a search can ask what a pre-training is worth."""

from __future__ import annotations

from typing import Literal

from slr_ray.config import Config


class LinearEvaluationConfig(Config):
    """A linear classifier on the frozen encoder of `initialisation` (SSL-SLR, section 6.3).

    Fitted to the labelled pool by `evaluation.linear`, its penalty chosen on validation. Says more
    about the encoder, and sooner, than fine-tuning, which can make up for a poor one.
    """

    kind: Literal["linear"] = "linear"
