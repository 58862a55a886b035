"""What trainings and measurements leave behind, as typed records."""

from __future__ import annotations

from typing import Literal, TypeAlias

from slr_ray.config import Record
from slr_ray.records.audits.audit import Audit

Metric = Literal["accuracy", "balanced_accuracy", "macro_f1", "top5_accuracy"]
"""What may be chosen by on validation: a field of `Metrics` of which more is better."""
SentenceMetric = Literal["gloss_accuracy"]
"""The same of `SentenceMetrics`."""


class Metrics(Record):
    """Quality of a model on one set of labelled clips; all but `loss` are between 0 and 1."""

    num_clips: int
    loss: float
    """Mean cross-entropy in nats."""
    accuracy: float
    top5_accuracy: float
    balanced_accuracy: float
    """Mean recall over the glosses that occur in the set."""
    macro_f1: float
    """Mean F1 over the glosses that occur in the set or were predicted."""
    calibration_error: float
    """Expected calibration error over 15 equal-width confidence bins."""


class SentenceMetrics(Record):
    """Quality of a model on one set of sentences whose glosses are known."""

    num_clips: int
    num_glosses: int
    """Of all sentences together."""
    loss: float
    """Mean over sentences of CTC's loss in nats."""
    gloss_accuracy: float
    """1 - WER: more is better. It may be negative."""
    wer: float
    """Word error rate: errors over glosses, by sclite's alignment; above 1 with many insertions."""
    substitutions: int
    deletions: int
    insertions: int
    non_blank_share: float
    """Share of steps on the best path that say a gloss: small where the model is spiky."""
    frame_accuracy: float | None = None
    """Share of the frames of true glosses that lie in a predicted segment of that gloss. None, as
    all that follow, where no true times are known."""
    segment_f1_10: float | None = None
    """F1 of predicted segments, right where the gloss is and intersection over union with its true
    segment is at least 0.1."""
    segment_f1_25: float | None = None
    """At least 0.25."""
    segment_f1_50: float | None = None
    """At least 0.5."""
    boundary_f1_10: float | None = None
    """The same whatever the segments' glosses: only where they begin and end counts. None also in
    records of earlier versions."""
    boundary_f1_25: float | None = None
    boundary_f1_50: float | None = None


AnyMetrics: TypeAlias = Metrics | SentenceMetrics
"""Of isolated signs or of sentences; their fields tell them apart."""


def of_signs(metrics: AnyMetrics) -> Metrics:
    """Figures that are known to be those of isolated signs."""
    if not isinstance(metrics, Metrics):
        raise TypeError("figures of sentences where those of isolated signs are needed")
    return metrics


def of_sentences(metrics: AnyMetrics) -> SentenceMetrics:
    """Figures that are known to be those of sentences."""
    if not isinstance(metrics, SentenceMetrics):
        raise TypeError("figures of isolated signs where those of sentences are needed")
    return metrics


class UnlabelledFigures(Record):
    """What became of an epoch's unlabelled clips where every step has some."""

    pseudo_share: float
    """Share of those drawn that were trained on: with a weight above 0."""
    pseudo_threshold: float | None
    """Mean threshold over the steps; None where the rule has none."""
    pseudo_precision: float | None
    """For reading only: share of their weight whose pseudo-label is the hidden label; None without
    such labels."""
    pseudo_unknown: float | None = None
    """For reading only: share of their weight on clips of glosses that the corpus does not have,
    whose pseudo-label is always wrong; None without such clips."""
    rejected: float | None = None
    """Share of the clips looked at that were rejected, of any gloss; None where none can be."""
    rejected_unknown: float | None = None
    """For reading only: the same of clips of such glosses; None where there are none."""
    rejected_wrongly: float | None = None
    """For reading only: the same of clips whose hidden label the corpus has."""

    def described(self) -> str:
        """In one line, for people."""
        told = f"last epoch: {self.pseudo_share:.0%} of unlabelled clips trained on"
        if self.pseudo_threshold is not None:
            told += f", threshold {self.pseudo_threshold:.2f}"
        if self.pseudo_precision is not None:
            told += f"; {self.pseudo_precision:.0%} of their pseudo-labels right"
        if self.pseudo_unknown is not None:
            told += f", {self.pseudo_unknown:.0%} on clips of unknown glosses"
        if self.rejected is not None:
            told += f"; {self.rejected:.0%} of those looked at rejected"
        if self.rejected_unknown is not None:
            told += f"; {self.rejected_unknown:.0%} of clips of unknown glosses rejected"
        if self.rejected_wrongly is not None:
            told += f"; {self.rejected_wrongly:.0%} of clips of known glosses rejected"
        return told


class EpochRecord(Record):
    round: int
    epoch: int
    """Counted from 0 in each round."""
    num_steps: int
    """Gradient steps since the start of the trial, this epoch included."""
    training_loss: float
    learning_rate: float
    validation: AnyMetrics
    unlabelled: UnlabelledFigures | None = None
    """Where every step has unlabelled clips."""


class PretrainingStep(Record):
    """One gradient step of self-supervised pre-training, before it changed the weights."""

    num_steps: int
    """Counted from 1."""
    loss: float
    embedding_std: float
    """See `PretrainingEpoch`."""


class PretrainingEpoch(Record):
    """An epoch of self-supervised pre-training, mean over its steps."""

    epoch: int
    num_steps: int
    """Gradient steps since the start, this epoch included."""
    loss: float
    learning_rate: float
    embedding_std: float
    """Standard deviation of the L2-normalised embedding's dimensions over a batch's clips times
    sqrt(width): 1 where clips spread evenly, 0 where the encoder has collapsed."""
    steps: tuple[PretrainingStep, ...] = ()
    """Some of its steps by themselves, for a collapse takes few: each of the first hundred, of the
    first thousand every tenth, and so on."""


class RoundRecord(Record):
    round: int
    num_true_labels: int
    num_pseudo_labels: int
    num_steps: int
    """Gradient steps of this round."""
    training_s: float
    """Time in the training loop, evaluation included, prediction of the pool not; of the stage's
    first computation if `reused`."""
    choosing_s: float = 0.0
    """Time to predict the pool and choose pseudo-labels, likewise; 0 in round 0."""
    steps_before: int = 0
    """Of round 0: gradient steps that its initial weights took, in whichever trial."""
    training_before_s: float = 0.0
    """Of round 0: the time of these."""
    reused: bool
    """Taken from the stage store instead of trained again."""
    validation: AnyMetrics
    audit: Audit | None
    """How this round's pseudo-labels were chosen; None in round 0."""


class SeedRecord(Record):
    seed: int
    """Draw of the labelled pool, initial weights and order of the clips."""
    fold: int | None = None
    """Whose signers are not in training; None where a run has one split."""
    num_labelled: int
    num_unlabelled: int
    stopped_because: str
    """Why there is no further round: all are done, validation no longer improves, nothing is left
    to add, or the rule selected no clip at all."""
    best_round: int
    """The round whose model validated best; its model is the result."""
    rounds: list[RoundRecord]
    epochs: list[EpochRecord]


class LengthErrors(Record):
    """Errors in the sentences of one length."""

    num_glosses: int
    """Of each of them."""
    num_clips: int
    wer: float


class MeasuredRecord(Record):
    """One experiment, one seed, evaluated once on the test set."""

    seed: int
    num_steps: int
    training_s: float
    validation: AnyMetrics
    test: AnyMetrics
    f1_per_gloss: dict[str, float]
    """Of sentences: right glosses over those that are there and those that are predicted."""
    confusion: list[list[int]]
    """`confusion[i][j]`: test clips of gloss i predicted as j, in the order of the corpus. Of
    sentences: glosses i in the place of which j is predicted; deleted and inserted ones are left
    out."""
    by_length: tuple[LengthErrors, ...] = ()
    """Test sentences by the number of their glosses; none for isolated signs."""
    trained: SeedRecord | None
    """Rounds and epochs; None for the nearest neighbour."""


class Interval(Record):
    """Mean over seeds with its 95 % confidence interval (Student's t over seeds)."""

    mean: float
    half_width: float | None
    """None with fewer than two seeds."""
    num_seeds: int


class Span(Record):
    """A 95 % interval by bootstrap, over signers or sentences, as percentiles over the draws."""

    low: float
    high: float
    num_draws: int
