"""The union of the rules that select sentences.

Those that look at nothing but a confidence are the rules for clips.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.select.quantile import Quantile
from slr_ray.selection.select.threshold import Threshold
from slr_ray.sentences.selection.gloss_balanced import GlossBalanced
from slr_ray.sentences.selection.segment_wise import SegmentWise
from slr_ray.sentences.selection.top_per_length import TopPerLength

SentenceSelection = Annotated[
    Threshold | Quantile | TopPerLength | GlossBalanced | SegmentWise,
    Field(discriminator="kind"),
]
