"""The settings of step-by-step semi-supervision: FixMatch and its successors."""

from __future__ import annotations

from typing import Literal

from slr_ray.experiment.sslr_config import SslrConfig
from slr_ray.training.consistency.config import StreamConfig


class ConsistencyConfig(StreamConfig):
    """One training in which every step also has unlabelled clips, pseudo-labelled at once.

    It takes the `training` section's steps, so that fully supervised learning with the same section
    has as many.
    """

    kind: Literal["consistency"] = "consistency"

    def as_rounds(self) -> SslrConfig:
        """One round: pseudo-labels come and go within it."""
        return SslrConfig(num_rounds=0)
