"""What a recogniser's trial under perturbations leaves behind."""

from __future__ import annotations

from slr_ray.config import Record
from slr_ray.records.measured import Metric, Span


class Score(Record):
    """One metric over the test clips."""

    value: float
    over_signers: Span | None
    """What other signers might give (bootstrap); None with too few to draw from."""


class PerturbedScore(Score):
    change: float
    """Against the same clips unperturbed."""
    change_over_signers: Span | None
    """The same signers drawn for both."""


class RobustnessPoint(Record):
    """One kind of perturbation at one strength."""

    kind: str
    strength: float
    metrics: dict[Metric, PerturbedScore]


class RobustnessRecord(Record):
    checkpoint: str
    sha256: str
    """Of the checkpoint."""
    corpus: str
    fingerprint: str
    split: str
    """How test clips were kept apart, in words."""
    num_clips: int
    num_signers: int
    """An unknown signer counts as one."""
    num_glosses: int
    """Of the test clips."""
    seed: int
    picture_aspect: float
    clean: dict[Metric, Score]
    points: list[RobustnessPoint]
