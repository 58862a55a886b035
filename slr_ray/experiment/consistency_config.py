"""The settings of step-by-step semi-supervision: FixMatch and its successors."""

from __future__ import annotations

from typing import Literal

from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.training.consistency.config import StreamConfig


class ConsistencyConfig(StreamConfig):
    """One training in which every step also has unlabelled clips, pseudo-labelled at once.

    It takes the `training` section's steps, so that fully supervised learning with the same section
    has as many.
    """

    kind: Literal["consistency"] = "consistency"

    def as_rounds(self) -> RoundsConfig:
        """One round: pseudo-labels come and go within it."""
        return RoundsConfig(num_rounds=0)
