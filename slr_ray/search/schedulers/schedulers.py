"""The union of the schedulers that there are.

A new one is one file with a `SchedulerConfig` that has a `kind`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.search.schedulers.hyperband import Hyperband
from slr_ray.search.schedulers.median import Median
from slr_ray.search.schedulers.no_stopping import NoStopping
from slr_ray.search.schedulers.successive_halving import SuccessiveHalving

Scheduler = Annotated[
    NoStopping | Median | SuccessiveHalving | Hyperband, Field(discriminator="kind")
]
