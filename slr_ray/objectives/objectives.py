"""The objectives to choose from."""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import Field
from torch import nn

from slr_ray.objectives.byol import Byol, ByolConfig
from slr_ray.objectives.moco import Moco, MocoConfig
from slr_ray.objectives.objective import Objective
from slr_ray.objectives.simclr import Simclr, SimclrConfig
from slr_ray.objectives.simsiam import Simsiam, SimsiamConfig
from slr_ray.objectives.sl_fpn import SlFpn, SlFpnConfig

ObjectiveConfig = Annotated[
    SlFpnConfig | SimclrConfig | MocoConfig | SimsiamConfig | ByolConfig,
    Field(discriminator="kind"),
]
OBJECTIVES = ("sl_fpn", "simclr", "moco", "simsiam", "byol")


def new_objective(config: ObjectiveConfig, encoder: nn.Module, width: int) -> Objective:
    """The objective around `encoder`, whose representations have `width` numbers.

    Fresh heads are drawn from torch's global generator.
    """
    match config:
        case SlFpnConfig():
            return SlFpn(config, encoder, width)
        case SimclrConfig():
            return Simclr(config, encoder, width)
        case MocoConfig():
            return Moco(config, encoder, width)
        case SimsiamConfig():
            return Simsiam(config, encoder, width)
        case ByolConfig():
            return Byol(config, encoder, width)
        case _:
            assert_never(config)
