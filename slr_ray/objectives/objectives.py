"""The objectives to choose from.

A new one is one file with a `Config` that has `kind`, `title` and `build`, and one member here.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from slr_ray.objectives.byol import ByolConfig
from slr_ray.objectives.moco import MocoConfig
from slr_ray.objectives.simclr import SimclrConfig
from slr_ray.objectives.simsiam import SimsiamConfig
from slr_ray.objectives.sl_fpn import SlFpnConfig

ObjectiveConfig = Annotated[
    SlFpnConfig | SimclrConfig | MocoConfig | SimsiamConfig | ByolConfig,
    Field(discriminator="kind"),
]

TITLES: dict[str, str] = {
    one.model_fields["kind"].default: one.title for one in get_args(get_args(ObjectiveConfig)[0])
}
"""By kind, as the objectives' papers write them."""
