"""Pseudo-labels of sentences, held against hidden ones."""

from __future__ import annotations

from slr_ray.config import Record


class SentenceAudit(Record):
    """How far pseudo-labels of sentences are from hidden gloss sequences."""

    wer: float | None
    """Of the selected sentences' pseudo-labels; None without hidden sequences."""
    pool_wer: float | None
    """Of what was said of every unlabelled sentence."""
    num_by_length: dict[int, int]
    """Selected sentences by the number of glosses of their pseudo-label."""
