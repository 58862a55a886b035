"""Fully supervised learning (FSL): the baseline that SSLR is measured against."""

from __future__ import annotations

from typing import Literal

from slr_ray.config import Config


class SupervisedConfig(Config):
    """Round 0 alone: the labelled pool, no pseudo-labels."""

    kind: Literal["supervised"] = "supervised"
