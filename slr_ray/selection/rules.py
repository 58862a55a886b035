"""What every selection rule is, and the union of those there are.

A new rule is one file with a `Config` that has a `kind` and a `select` method, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.share_per_gloss import SharePerGloss
from slr_ray.selection.threshold import Threshold
from slr_ray.selection.top_confidence import TopConfidence
from slr_ray.selection.top_per_gloss import TopPerGloss

SelectionRule = Annotated[
    Threshold | TopConfidence | TopPerGloss | SharePerGloss,
    Field(discriminator="kind"),
]
