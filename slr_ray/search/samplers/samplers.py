"""The union of the samplers that there are.

A new one is one file with a `SamplerConfig` that has a `kind`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.search.samplers.cma_es import CmaEs
from slr_ray.search.samplers.grid import Grid
from slr_ray.search.samplers.quasi_monte_carlo import QuasiMonteCarlo
from slr_ray.search.samplers.tpe import Tpe
from slr_ray.search.samplers.uniform import Random

Sampler = Annotated[Tpe | CmaEs | Random | QuasiMonteCarlo | Grid, Field(discriminator="kind")]
