"""The union of the rejections that there are.

A new one is one file with a `Rejection` that has a `kind`, and one member here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slr_ray.selection.reject.energy import Energy
from slr_ray.selection.reject.prototype import Prototype

Reject = Annotated[Energy | Prototype, Field(discriminator="kind")]
