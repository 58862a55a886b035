"""What a model says of the unlabelled pool besides its probabilities, and who needs it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from slr_ray.selection.negative import Negative


@dataclass(frozen=True)
class Needs:
    """What has to be computed for a part of the choice. Nothing that no part needs is."""

    representations: bool = False
    """Of the pool and of the labelled clips."""
    energy: bool = False
    """Of the pool."""
    validation: bool = False
    """Representations and energies of the validation clips as well, where they are needed."""
    dropout_passes: int = 0
    views: int = 0
    """Augmented views whose glosses are compared."""
    head_fraction: float = 0.0
    """Share of the frames cut off at the beginning, for `Evidence.ends_cut_glosses`."""
    tail_fraction: float = 0.0
    negative: Negative | None = None
    """Which glosses a clip is not, from the passes with dropout."""

    def __or__(self, other: Needs) -> Needs:
        """What both need."""
        names = [one.name for one in _NEEDS if one.name != "negative"]
        both = {name: max(getattr(self, name), getattr(other, name)) for name in names}
        return Needs(**both, negative=self.negative or other.negative)

    @property
    def ends_cut(self) -> bool:
        return self.head_fraction + self.tail_fraction > 0


_NEEDS = fields(Needs)


@dataclass(frozen=True)
class Evidence:
    """Arrays over the pool; None where nobody needs them. Hidden labels are not among them."""

    labelled_counts: Int[np.ndarray, " glosses"] | None = None
    """Labelled clips of each gloss."""
    representations: Float[np.ndarray, "clips width"] | None = None
    labelled_representations: Float[np.ndarray, "labelled width"] | None = None
    labelled_glosses: Int[np.ndarray, " labelled"] | None = None
    validation_representations: Float[np.ndarray, "validation width"] | None = None
    energy: Float[np.ndarray, " clips"] | None = None
    """-logsumexp(logits) of the clips themselves."""
    validation_energy: Float[np.ndarray, " validation"] | None = None
    deviation: Float[np.ndarray, " clips"] | None = None
    """Standard deviation of the predicted gloss's probability over passes with dropout."""
    view_glosses: Int[np.ndarray, "clips views"] | None = None
    """The gloss predicted from each augmented view."""
    ends_cut_glosses: Int[np.ndarray, " clips"] | None = None
    """The gloss predicted when the clip's head and tail are cut off."""
    excluded: Bool[np.ndarray, "clips glosses"] | None = None
    """The glosses that each clip is not."""

    def of(self, rows: Int[np.ndarray, " rows"]) -> Evidence:
        """That of some clips of the pool, in their order."""
        given = {name: getattr(self, name) for name in _OF_CLIPS}
        taken = {name: array[rows] for name, array in given.items() if array is not None}
        return replace(self, **taken)


_OF_CLIPS = (
    "representations",
    "energy",
    "deviation",
    "view_glosses",
    "ends_cut_glosses",
    "excluded",
)


def present(array: np.ndarray | None, what: str) -> np.ndarray:
    """Evidence that its user asked for in `needs`; `ValueError` where it was not computed."""
    if array is None:
        raise ValueError(f"no {what} among the evidence, though a part needs it")
    return array
