"""Fully supervised learning (FSL): the baseline that SSLR is measured against."""

from __future__ import annotations

from typing import Literal

from slr_ray.config import Config
from slr_ray.experiment.rounds.config import RoundsConfig


class SupervisedConfig(Config):
    """Round 0 alone: the labelled pool, no pseudo-labels."""

    kind: Literal["supervised"] = "supervised"

    def as_rounds(self) -> RoundsConfig:
        """The same as SSLR without a further round, so that both share round 0."""
        return RoundsConfig(num_rounds=0)
