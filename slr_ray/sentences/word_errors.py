"""Word error rates of gloss sequences, as sclite counts them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import kaldialign

from slr_ray.sentences.steps import NO_GLOSS, Glosses, Sequences

GlossT = TypeVar("GlossT", bound=Hashable)
"""A gloss by its name or by its number."""


@dataclass(frozen=True)
class WordErrors:
    """Errors of one sentence, or of several together."""

    substitutions: int
    deletions: int
    """Glosses of the reference that the hypothesis lacks."""
    insertions: int
    num_glosses: int
    """Of the reference."""

    @property
    def total(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """WER as a share, above 1 where there are more errors than glosses; NaN without glosses."""
        return self.total / self.num_glosses if self.num_glosses else float("nan")

    @property
    def gloss_accuracy(self) -> float:
        """1 - WER, for whoever maximises; it may be negative."""
        return 1.0 - self.rate

    @classmethod
    def together(cls, errors: Iterable[WordErrors]) -> WordErrors:
        """Of several sentences: a rate over their glosses, not a mean of their rates."""
        every = list(errors)
        return cls(
            sum(one.substitutions for one in every),
            sum(one.deletions for one in every),
            sum(one.insertions for one in every),
            sum(one.num_glosses for one in every),
        )


def word_errors(reference: Glosses, hypothesis: Glosses) -> WordErrors:
    """Errors of one hypothesis, with sclite's costs: 4 a substitution, 3 a deletion or insertion.

    They are those of the field's official evaluation. Other than with equal costs, the errors need
    not be the fewest possible: three deletions and three insertions cost less than five
    substitutions.
    """
    found = kaldialign.edit_distance(reference.tolist(), hypothesis.tolist(), sclite_mode=True)
    return WordErrors(
        int(found["sub"]), int(found["del"]), int(found["ins"]), int(found["ref_len"])
    )


def errors_by_sentence(references: Sequences, hypotheses: Sequences) -> list[WordErrors]:
    """`word_errors` of each sentence."""
    return [word_errors(*pair) for pair in zip(references, hypotheses, strict=True)]


def paired(
    reference: Sequence[GlossT], hypothesis: Sequence[GlossT]
) -> list[tuple[GlossT | None, GlossT | None]]:
    """Each true gloss with what is said in its place, by the costs of `word_errors`.

    None stands for what the other side lacks: beside a true gloss for a deletion, beside a said one
    for an insertion.
    """
    numbers = {gloss: number for number, gloss in enumerate({*reference, *hypothesis})}
    pairs = kaldialign.align(
        [numbers[one] for one in reference],
        [numbers[one] for one in hypothesis],
        NO_GLOSS,
        sclite_mode=True,
    )
    names: dict[int, GlossT | None] = {number: gloss for gloss, number in numbers.items()}
    return [(names.get(true), names.get(said)) for true, said in pairs]


def errors_in(pairs: Iterable[tuple[str | None, str | None]]) -> WordErrors:
    """The errors among `paired` glosses."""
    every = list(pairs)
    return WordErrors(
        sum(None not in (true, said) and true != said for true, said in every),
        sum(said is None for _, said in every),
        sum(true is None for true, _ in every),
        sum(true is not None for true, _ in every),
    )
