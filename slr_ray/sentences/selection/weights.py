"""The union of the weightings of pseudo-labelled sentences: those of clips, by confidence alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.weight.confidence import Confidence
from slr_ray.selection.weight.constant import Constant
from slr_ray.selection.weight.hard import Hard
from slr_ray.selection.weight.truncated_gaussian import TruncatedGaussian

SentenceWeight = Annotated[
    Hard | Constant | Confidence | TruncatedGaussian, Field(discriminator="kind")
]
