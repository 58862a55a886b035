"""How often hypotheses say a gloss, held to what labelled sentences have."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64

from slr_ray.sentences.steps import BLANK

_MOST = 4.0
"""In nats: beyond, a teacher would be asked for glosses of which it knows nothing."""
_MOMENTUM = 0.95
"""A batch has some forty glosses: too few to go by alone."""
_HALVINGS = 12


class GlossRate:
    """Shifts the blank's log-probability so that there are `wanted` glosses a step.

    Distribution alignment (ReMixMatch, arXiv 1911.09785) for CTC: trained on its own hypotheses, a
    model says the blank where it is in doubt, and learns to be in doubt no more. The shift is the
    slow mean of those that fit each batch; it is all that is remembered.
    """

    def __init__(self, wanted: float) -> None:
        self.wanted = wanted
        self.shift = 0.0

    def update(
        self,
        log_probs: Float[np.ndarray, "sentences steps classes"],
        num_steps: Int64[np.ndarray, " sentences"],
    ) -> None:
        """Take one more batch into account, as the teacher has it: without a shift."""
        glosses = np.delete(log_probs, BLANK, axis=2)
        best, lead = glosses.argmax(axis=2), glosses.max(axis=2) - log_probs[..., BLANK]
        lead = np.where(np.arange(lead.shape[1]) < num_steps[:, None], lead, -np.inf)
        goes_on = best[:, 1:] == best[:, :-1]
        wanted = self.wanted * num_steps.sum()
        fewest, most = -_MOST, _MOST
        for _ in range(_HALVINGS):
            middle = (fewest + most) / 2
            if _num_glosses(lead > middle, goes_on) < wanted:
                most = middle
            else:
                fewest = middle
        self.shift = _MOMENTUM * self.shift + (1 - _MOMENTUM) * (fewest + most) / 2


def _num_glosses(
    says: Bool[np.ndarray, "sentences steps"], goes_on: Bool[np.ndarray, "sentences steps_less_1"]
) -> int:
    """Of all best paths that say a gloss where told, the same as a step before where it goes on."""
    return int(says.sum() - (says[:, 1:] & says[:, :-1] & goes_on).sum())
