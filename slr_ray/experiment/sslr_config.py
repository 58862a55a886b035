"""The settings of SSLR (arXiv 2504.16640): the paper's, what it leaves open, what we add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.config import Config
from slr_ray.selection.rules import SelectionRule
from slr_ray.selection.top_per_gloss import TopPerGloss


class SslrConfig(Config):
    """SSLR's settings. Defaults: the paper's procedure, with our choice where it states none."""

    renamed: ClassVar[Mapping[str, str]] = {"pool": "pseudo_labels", "initialisation": "start"}

    kind: Literal["sslr"] = "sslr"
    selection: SelectionRule = TopPerGloss()
    num_rounds: int = Field(5, ge=0)
    """Rounds after round 0; the loop may stop earlier. 0 is fully supervised learning."""
    pseudo_labels: Literal["accumulate", "reselect"] = "accumulate"
    """`accumulate`: a pseudo-label stays once it was given (published). `reselect`: every round
    chooses anew from the whole unlabelled pool."""
    growth: Literal["constant", "linear", "geometric"] = "constant"
    """Round r takes 1, r or 2^(r - 1) times the rule's number of clips."""
    start: Literal["scratch", "continue"] = "scratch"
    """Whether a round starts from the experiment's initial weights or from the model that gave its
    pseudo-labels."""
    true_share: float | None = Field(None, gt=0, lt=1)
    """Share of every batch that has true labels; None = as often as they occur (published)."""
    pseudo_augmentation: AugmentationConfig | None = None
    """Augmentation of pseudo-labelled clips; None = that of the labelled ones (published)."""
    pseudo_weight: float = Field(1.0, gt=0, le=1)
    """Weight of a pseudo-labelled clip's loss."""
    weigh_by_confidence: bool = False
    """Multiply that weight by the clip's confidence."""
    num_views: int = Field(1, ge=1)
    """Views of a clip whose predictions are averaged before selection; 1 as published."""
    num_epochs: int | None = Field(None, ge=1)
    """Epochs of rounds 1 and later; None = those of round 0."""
    patience_rounds: int | None = Field(None, ge=1)
    """Converged when validation has not improved for so many rounds; None = never."""
    changed_tolerance: float = Field(0.0, ge=0, le=1)
    """Nothing left to add: at most this share of the selection is new or changed."""
