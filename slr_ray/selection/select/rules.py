"""The union of the selection rules that there are.

A new rule is one file with a `Rule` that has a `kind`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.select.adaptive import Adaptive
from slr_ray.selection.select.class_rebalanced import ClassRebalanced
from slr_ray.selection.select.curriculum import Curriculum
from slr_ray.selection.select.ends_cut_agree import EndsCutAgree
from slr_ray.selection.select.quantile import Quantile
from slr_ray.selection.select.share_per_gloss import SharePerGloss
from slr_ray.selection.select.threshold import Threshold
from slr_ray.selection.select.top_confidence import TopConfidence
from slr_ray.selection.select.top_per_gloss import TopPerGloss
from slr_ray.selection.select.uncertainty import Uncertainty
from slr_ray.selection.select.views_agree import ViewsAgree

SelectionRule = Annotated[
    Threshold
    | Quantile
    | Curriculum
    | TopConfidence
    | TopPerGloss
    | SharePerGloss
    | Adaptive
    | ClassRebalanced
    | Uncertainty
    | ViewsAgree
    | EndsCutAgree,
    Field(discriminator="kind"),
]
