"""What a cross-validation over people leaves behind."""

from __future__ import annotations

from slr_ray.config import Record
from slr_ray.records.measured import Interval, Span


def draw_path(seed: int, fold: int | None) -> str:
    """What folders and curves call one draw; `fold` is None where there is one split only."""
    return f"seed_{seed}" if fold is None else f"fold_{fold}/seed_{seed}"


def draw_text(seed: int, fold: int | None) -> str:
    """The same for reading."""
    return f"seed {seed}" if fold is None else f"seed {seed}, fold {fold}"


class PooledMetric(Record):
    """One metric over all test clips, each predicted once, by the model of its fold."""

    by_seed: list[float]
    over_seeds: Interval
    over_signers: Span | None
    """Of the mean over seeds, where signers are drawn again; None with too few of them."""


class FoldRecord(Record):
    """One fold: who was tested, and how well, mean over seeds."""

    fold: int
    signers: list[str]
    num_test_clips: int
    num_labelled: float
    """Labelled clips for training, mean over seeds."""
    label_share: float | None = None
    """Of the training clips with a gloss, mean over seeds; None in records of earlier versions."""
    num_validation: int
    """Labelled clips that chose: labels, too."""
    test: dict[str, float]


class FoldsRecord(Record):
    corpus: str
    fingerprint: str
    num_folds: int
    seeds: list[int]
    num_clips: int
    """Test clips over all folds."""
    num_signers: int
    metrics: dict[str, PooledMetric]
    folds: list[FoldRecord]
