"""By free energy: how large the logits are, whatever they say."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from slr_ray.selection.evidence import Evidence, Needs, present
from slr_ray.selection.reject.rejection import Rejection


class Energy(Rejection):
    """Rejects clips of high energy -logsumexp(logits) (Liu et al. 2020, arXiv 2010.03759, eq. 6).

    Temperature 1, as the paper advises. Of the model's own logits: calibration, refinement and
    views change nothing. As in the paper the threshold keeps a share of held-out clips; the model
    is not fine-tuned for it.
    """

    kind: Literal["energy"] = "energy"

    @property
    def needs(self) -> Needs:
        return Needs(energy=True, validation=True)

    def familiarity(
        self, evidence: Evidence
    ) -> tuple[Float[np.ndarray, " clips"], Float[np.ndarray, " validation"]]:
        """Negative energies."""
        clips = present(evidence.energy, "energies")
        return -clips, -present(evidence.validation_energy, "energies of validation")
