"""The settings of SSLR (arXiv 2504.16640): the paper's, what it leaves open, what we add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.config import Config
from slr_ray.selection.calibration import Calibration
from slr_ray.selection.evidence import Needs
from slr_ray.selection.refine.refine import Refine
from slr_ray.selection.reject.rejections import Reject
from slr_ray.selection.select.rules import SelectionRule
from slr_ray.selection.select.top_per_gloss import TopPerGloss
from slr_ray.selection.weight.hard import Hard
from slr_ray.selection.weight.weights import Weight


class SslrConfig(Config):
    """SSLR's settings. Defaults: the paper's procedure, with our choice where it states none."""

    renamed: ClassVar[Mapping[str, str]] = {
        "pool": "pseudo_labels",
        "initialisation": "start",
        "pseudo_weight": "weight",
        "weigh_by_confidence": "weight",
    }

    kind: Literal["sslr"] = "sslr"
    calibration: Calibration = "undo_smoothing"
    """What makes probabilities mean what they say before anything else: `undo_smoothing` takes
    `training.label_smoothing` out of them (without it nothing changes), `temperature` fits one
    number on the validation clips, and so spends their labels on training, too, `folds` fits it on
    labelled clips: each part of them as round 0's model says it that was trained on the others.
    These trainings are shared by trials, and no round's steps or time count them."""
    calibration_folds: int = Field(3, ge=2)
    """Parts of the labelled clips, by signer, for `folds`; at most as many as there are signers."""
    refine: Refine = Refine()
    """What happens to the pool's probabilities before selection; nothing as published."""
    reject: Reject | None = None
    """Which clips are taken out of the pool before selection, as of a gloss that the model does not
    know; None takes out none. For open pools."""
    selection: SelectionRule = TopPerGloss()
    weight: Weight = Hard()
    """Weight of a pseudo-labelled clip's loss."""
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
    pseudo_augmentation: AugmentationConfig | None = None
    """Augmentation of pseudo-labelled clips; None = that of the labelled ones (published)."""
    num_views: int = Field(1, ge=1)
    """Views of a clip whose predictions are averaged before selection; 1 as published."""
    num_epochs: int | None = Field(None, ge=1)
    """Epochs of rounds 1 and later; None = those of round 0."""
    patience_rounds: int | None = Field(None, ge=1)
    """Converged when validation has not improved for so many rounds; None = never."""
    changed_tolerance: float = Field(0.0, ge=0, le=1)
    """Nothing left to add: at most this share of the selection is new or changed."""
    keep_predictions: int = Field(1_000_000, ge=0)
    """Most numbers (clips x glosses) of a round's predictions of the pool that are kept beside the
    round for `slr_ray.replay`; 0 keeps none. It changes no result."""

    @property
    def needs(self) -> Needs:
        """The evidence that choosing pseudo-labels takes."""
        without = Needs() if self.reject is None else self.reject.needs
        return self.refine.needs | without | self.selection.needs
