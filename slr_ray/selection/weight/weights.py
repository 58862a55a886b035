"""The union of the weightings that there are.

A new one is one file with a `Weighting` that has a `kind`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.weight.confidence import Confidence
from slr_ray.selection.weight.constant import Constant
from slr_ray.selection.weight.hard import Hard
from slr_ray.selection.weight.soft import Soft
from slr_ray.selection.weight.truncated_gaussian import TruncatedGaussian

Weight = Annotated[
    Hard | Constant | Confidence | TruncatedGaussian | Soft, Field(discriminator="kind")
]
