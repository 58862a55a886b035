"""The settings of SSLR (arXiv 2504.16640): the paper's, what it leaves open, what we add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from slr_ray.augmentation.config import AugmentationConfig
from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.selection.calibration import Calibration
from slr_ray.selection.evidence import Needs
from slr_ray.selection.refine.refine import Refine
from slr_ray.selection.reject.rejections import Reject
from slr_ray.selection.select.rules import SelectionRule
from slr_ray.selection.select.top_per_gloss import TopPerGloss
from slr_ray.selection.weight.hard import Hard
from slr_ray.selection.weight.weights import Weight


class SslrConfig(RoundsConfig):
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
    pseudo_augmentation: AugmentationConfig | None = None
    """Augmentation of pseudo-labelled clips; None = that of the labelled ones (published)."""
    num_views: int = Field(1, ge=1)
    """Views of a clip whose predictions are averaged before selection; 1 as published."""
    keep_predictions: int = Field(1_000_000, ge=0)
    """Most numbers (clips x glosses) of a round's predictions of the pool that are kept, for trials
    that share the round, for resuming and for `slr_ray.replay`; of round 0, which most trials
    share, 25 times as many. 0 keeps none. It changes no result."""

    @property
    def held_out_folds(self) -> int:
        return self.calibration_folds if self.calibration == "folds" else 0

    @property
    def needs(self) -> Needs:
        """The evidence that choosing pseudo-labels takes."""
        without = Needs() if self.reject is None else self.reject.needs
        return self.refine.needs | without | self.selection.needs
