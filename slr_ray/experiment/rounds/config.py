"""The settings of rounds, whatever is pseudo-labelled: signs or sentences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slr_ray.config import Config


class RoundsConfig(Config):
    """Which rounds there are, what each keeps of the one before, and how it trains."""

    num_rounds: int = Field(5, ge=0)
    """Rounds after round 0; the loop may stop earlier. 0 is fully supervised learning."""
    pseudo_labels: Literal["accumulate", "reselect"] = "accumulate"
    """`accumulate`: a pseudo-label stays once it was given (published). `reselect`: every round
    chooses anew from the whole unlabelled pool."""
    growth: Literal["constant", "linear", "geometric"] | Annotated[float, Field(gt=0)] = "constant"
    """Round r takes 1, r or 2^(r - 1) times the rule's number of clips; with a number g, g^(r - 1)
    times."""
    start: Literal["scratch", "continue"] = "scratch"
    """Whether a round starts from the experiment's initial weights or from the model that gave its
    pseudo-labels."""
    true_share: float | None = Field(None, gt=0, lt=1)
    """Share of every batch that has true labels; None = as often as they occur (published)."""
    num_epochs: int | None = Field(None, ge=1)
    """Epochs of rounds 1 and later; None = those of round 0."""
    patience_rounds: int | None = Field(None, ge=1)
    """Converged when validation has not improved for so many rounds; None = never."""
    changed_tolerance: float = Field(0.0, ge=0, le=1)
    """Nothing left to add: at most this share of the selection is new or changed."""

    @property
    def held_out_folds(self) -> int:
        """Trainings on parts of the labelled clips that choosing needs."""
        return 0

    def growth_in(self, number: int) -> float:
        """How many times the rule's number of clips round `number` takes."""
        match self.growth:
            case "constant":
                return 1.0
            case "linear":
                return float(number)
            case "geometric":
                return 2.0 ** (number - 1)
            case factor:
                return factor ** (number - 1)
