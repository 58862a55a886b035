"""The rules of step-by-step semi-supervision to choose from.

A new one is one file with a `Config` that has a `kind` and `build`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.steps.daso import DasoConfig
from slr_ray.selection.steps.debiaspl import DebiasPLConfig
from slr_ray.selection.steps.fixmatch import FixMatchConfig
from slr_ray.selection.steps.flexmatch import FlexMatchConfig
from slr_ray.selection.steps.freematch import FreeMatchConfig
from slr_ray.selection.steps.softmatch import SoftMatchConfig

StepRuleConfig = Annotated[
    FixMatchConfig
    | FlexMatchConfig
    | FreeMatchConfig
    | SoftMatchConfig
    | DebiasPLConfig
    | DasoConfig,
    Field(discriminator="kind"),
]
