"""The settings of rounds on sentences: SSLR's, with what a gloss sequence needs."""

from __future__ import annotations

from typing import Literal

from slr_ray.experiment.rounds.config import RoundsConfig
from slr_ray.selection.weight.hard import Hard
from slr_ray.sentences.selection.degenerate import RejectDegenerate
from slr_ray.sentences.selection.rules import SentenceSelection
from slr_ray.sentences.selection.top_per_length import TopPerLength
from slr_ray.sentences.selection.weights import SentenceWeight
from slr_ray.sentences.sequence_confidence import SequenceConfidence


class SentenceRoundsConfig(RoundsConfig):
    """SSLR's rounds on sentences. SSLR's authors leave them open; what is chosen here is ours.

    Unlabelled sentences are decoded as `sentences.decoding` says, and trained on with CTC and dense
    labels as if the hypothesis were the true sequence.
    """

    kind: Literal["sslr_sentences"] = "sslr_sentences"
    confidence: SequenceConfidence = SequenceConfidence()
    """What `selection` and `weight` go by."""
    reject: RejectDegenerate | None = RejectDegenerate()
    """Which hypotheses no rule sees; None rejects the empty ones only."""
    selection: SentenceSelection = TopPerLength()
    weight: SentenceWeight = Hard()
    """Weight of a pseudo-labelled sentence's loss."""
