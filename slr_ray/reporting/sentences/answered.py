"""Answers on test sentences, counted: word errors together, by length and by gloss."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from slr_ray.evaluation.people import FEWEST_SIGNERS, spans
from slr_ray.records.measured import SeedRecord, SentenceMetrics, Span
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.people import SentenceCounts
from slr_ray.sentences.word_errors import WordErrors, errors_in, paired

Pair = tuple[str | None, str | None]
"""A true gloss and what is said in its place; None where there is none."""


@dataclass(frozen=True)
class GlossErrors:
    """What became of one gloss in the test sentences, over all seeds."""

    right: int
    substituted: int
    """Other glosses said in its place."""
    deleted: int
    inserted: int
    """Said where the true sentence has none."""

    @property
    def num_true(self) -> int:
        return self.right + self.substituted + self.deleted

    @property
    def rate(self) -> float | None:
        """Its errors over the times it is signed; None where it never is."""
        errors = self.substituted + self.deleted + self.inserted
        return errors / self.num_true if self.num_true else None


@dataclass(frozen=True)
class Answered:
    """One way of training, with all its seeds; they are tested on the same sentences."""

    title: str
    series: int
    """Its colour in every figure."""
    answers: Sequence[Sequence[SentencePrediction]]
    """By seed."""
    metrics: Sequence[SentenceMetrics]
    """On the test set, by seed."""
    trained: Sequence[SeedRecord]

    @cached_property
    def pairs(self) -> list[list[Pair]]:
        """Of each sentence, seed by seed."""
        return [paired(one.glosses, one.predicted) for one in self._every]

    @cached_property
    def errors(self) -> list[WordErrors]:
        """Of each sentence, seed by seed."""
        return [errors_in(one) for one in self.pairs]

    @property
    def together(self) -> WordErrors:
        return WordErrors.together(self.errors)

    @property
    def has_signers(self) -> bool:
        """Whether there are signers enough to draw them again."""
        return len({one.signer for one in self._every}) >= FEWEST_SIGNERS

    @property
    def span(self) -> Span | None:
        """Of the WER: over signers where there are enough, else over sentences; None of too few."""
        each = not self.has_signers
        return spans([SentenceCounts.of(one, each=each) for one in self.answers]).get("wer")

    def by_length(self) -> dict[int, tuple[int, WordErrors]]:
        """By the number of true glosses: how many sentences, and their errors over all seeds."""
        found: dict[int, list[WordErrors]] = defaultdict(list)
        for one in self.errors:
            found[one.num_glosses].append(one)
        seeds = len(self.answers)
        return {
            length: (len(own) // seeds, WordErrors.together(own))
            for length, own in sorted(found.items())
        }

    def by_gloss(self) -> dict[str, GlossErrors]:
        """The most frequent first."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for pair, times in self.frequencies.items():
            match pair:
                case (None, str(said)):
                    counts[said]["inserted"] += times
                case (str(true), None):
                    counts[true]["deleted"] += times
                case (str(true), said):
                    counts[true]["right" if true == said else "substituted"] += times
        names = ("right", "substituted", "deleted", "inserted")
        found = {
            gloss: GlossErrors(**{name: own[name] for name in names})
            for gloss, own in counts.items()
        }
        return dict(sorted(found.items(), key=lambda one: (-one[1].num_true, one[0])))

    @cached_property
    def frequencies(self) -> Counter[Pair]:
        """How often each pair occurs, over all seeds."""
        return Counter(pair for one in self.pairs for pair in one)

    @property
    def _every(self) -> list[SentencePrediction]:
        return [one for answers in self.answers for one in answers]
