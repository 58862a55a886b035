"""Pseudo-labels of a round: how many, how sure, and how right where that is known."""

from __future__ import annotations

from slr_ray.config import Record
from slr_ray.records.audits.sentences import SentenceAudit


class OpenAudit(Record):
    """Clips of glosses that the corpus does not have: a pseudo-label of theirs is always wrong."""

    num_unknown: int
    """In the unlabelled pool."""
    num_selected: int
    """Of them, those with a pseudo-label."""
    num_rejected: int = 0
    """Of them, those that were rejected."""


class Audit(Record):
    """What a round's selection did; for reading only, nothing is decided by it."""

    num_unlabelled: int
    """Clips that the round predicted."""
    num_selected: int
    """Pseudo-labels in use in the round that follows."""
    num_added: int
    """Of them, those that the round before did not use."""
    num_changed: int
    """Of those used before, how many got another gloss."""
    selected_per_gloss: dict[str, int]
    confidence_counts: list[int]
    """Unlabelled clips by confidence in 20 equal bins from 0 to 1: calibrated and refined, as the
    rule saw it. So are pool accuracy and calibration error."""
    selected_confidence_counts: list[int]
    precision: float | None
    """Share of selected clips whose hidden label equals the pseudo-label; None without labels. Of
    sentences: of the glosses that were chosen, those that an alignment finds in the hidden
    sequence."""
    num_judged: int | None = None
    """Selected clips that have a hidden label."""
    pool_accuracy: float | None
    """The same over every unlabelled clip with a hidden label."""
    precision_per_gloss: dict[str, float] | None
    calibration_error: float | None
    """Expected calibration error on the unlabelled clips with hidden labels."""
    num_negative: int = 0
    """Clips that are not selected and teach what they are not."""
    negative_precision: float | None = None
    """Share of these negative labels that are right; None without hidden labels."""
    num_rejected: int = 0
    """Clips that no rule saw, as they were taken for clips of unknown glosses."""
    num_rejected_wrongly: int | None = None
    """Of them, those whose hidden label the corpus has; None without labels."""
    open_pool: OpenAudit | None = None
    """None where the corpus has every hidden label's gloss."""
    sentences: SentenceAudit | None = None
    """None where clips are isolated signs."""

    def described(self) -> str | None:
        """What hidden labels say, in one line for people; None without such labels."""
        if self.precision is None:
            return None
        judged = "pseudo-labels"
        if self.sentences is not None:
            judged = f"the glosses of {self.num_judged:,} pseudo-labels"
        elif self.num_judged is not None:
            judged = f"{self.num_judged:,} pseudo-labels on clips with a hidden label"
        told = f"{self.precision:.0%} of {judged} right"
        if self.sentences is not None:
            told += f", WER {self.sentences.wer:.0%}; {self.sentences.pool_wer:.0%} in the pool"
        if self.open_pool is not None:
            told += (
                f", {self.open_pool.num_selected:,} on the {self.open_pool.num_unknown:,} clips of "
                "unknown glosses"
            )
        if self.negative_precision is not None:
            told += f"; {self.negative_precision:.1%} of negative labels"
        if self.num_rejected and self.num_rejected_wrongly is not None:
            told += f"; {self.num_rejected_wrongly:,} clips of known glosses rejected"
            if self.open_pool is not None:
                told += f", {self.open_pool.num_rejected:,} of unknown ones"
        return told
