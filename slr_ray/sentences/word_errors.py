"""Word error rates of gloss sequences, as sclite counts them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import kaldialign
import numpy as np
from jaxtyping import Float64, Int64

from slr_ray.records.measured import Span
from slr_ray.sentences.steps import NO_GLOSS, Glosses, Sequences

NUM_DRAWS = 2000
_TAILS = (2.5, 97.5)
_SEED = 7919

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


@dataclass(frozen=True)
class Bootstrap:
    """How far a rate, or the difference of two, depends on which sentences were asked."""

    mean: float
    """Of the sentences as they are."""
    span: Span
    below_zero: float
    """Share of the draws below 0; one of exactly 0 counts half. Of a difference, how sure it is
    that the first is better."""


def bootstrap(
    errors: Sequence[WordErrors],
    reference: Sequence[WordErrors] | None = None,
    groups: Int64[np.ndarray, " sentences"] | None = None,
    num_draws: int = NUM_DRAWS,
) -> Bootstrap:
    """WER, or its difference to a `reference` on the same sentences, over draws of sentences.

    Sentences are drawn with replacement, the same ones for both (Bisani and Ney 2004). `groups`
    draws whole groups, signers say, whose sentences are alike. kaldialign's `bootstrap_wer_ci`
    knows neither these, nor sclite's costs, nor the difference's interval. `ValueError` without
    sentences.
    """
    if not errors:
        raise ValueError("no sentence to draw from")
    if groups is None:
        groups = np.arange(len(errors))
    _, group = np.unique(groups, return_inverse=True)
    counts = [_counts(one, group) for one in (errors, reference) if one is not None]
    num_groups = counts[0].shape[1]
    rng = np.random.default_rng(_SEED)
    shares = np.full(num_groups, 1 / num_groups)
    # One draw at a time: all of them for many sentences fill the memory.
    drawn = np.array(
        [_value(counts, rng.multinomial(num_groups, shares)) for _ in range(num_draws)]
    )
    low, high = np.percentile(drawn, _TAILS)
    return Bootstrap(
        _value(counts, np.ones(num_groups, np.int64)),
        Span(low=float(low), high=float(high), num_draws=num_draws),
        float((drawn < 0).mean() + (drawn == 0).mean() / 2),
    )


def _counts(
    errors: Sequence[WordErrors], group: Int64[np.ndarray, " sentences"]
) -> Float64[np.ndarray, "2 groups"]:
    """Errors and glosses of each group."""
    totals = [one.total for one in errors], [one.num_glosses for one in errors]
    return np.stack([np.bincount(group, weights=one) for one in totals])


def _value(
    counts: Sequence[Float64[np.ndarray, "2 groups"]], times: Int64[np.ndarray, " groups"]
) -> float:
    """The first one's rate less the second one's, if any, where each group counts so many times."""
    rates = [float((one[0] @ times) / (one[1] @ times)) for one in counts]
    return rates[0] - sum(rates[1:])
