"""Answers counted by signer: of sentences, word errors and what is found where in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from slr_ray.evaluation.people import PeopleCounts, SignerCounts, ordered
from slr_ray.records.predictions import pooled
from slr_ray.records.run_folder import ResultFolder
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.sentences.segment_scores import OVERLAPS, count_segments, rates_in_time
from slr_ray.sentences.word_errors import errors_in, paired


@dataclass(frozen=True)
class SentenceCounts(PeopleCounts):
    """Of sentences. People are drawn whole; Bisani and Ney (2004) draw sentences."""

    signers: tuple[str | None, ...]
    errors: Float64[np.ndarray, " signers"]
    """Substituted, deleted and inserted glosses."""
    num_glosses: Float64[np.ndarray, " signers"]
    segments: Float64[np.ndarray, "signers numbers"] | None
    """`SegmentCounts.numbers`, summed; None where no true times are known."""

    @classmethod
    def of(cls, predictions: Sequence[SentencePrediction], *, each: bool = False) -> SentenceCounts:
        """The counts of some predictions; `each` takes every sentence for a person of its own, for
        corpora whose signers are unknown. `ValueError` where there is no prediction.
        """
        if not predictions:
            raise ValueError("no sentence to count")
        names = [one.clip_id if each else one.signer for one in predictions]
        signers = ordered(names)
        row = {name: index for index, name in enumerate(signers)}
        errors, num_glosses = np.zeros(len(signers)), np.zeros(len(signers))
        segments = np.zeros((len(signers), 2 * len(OVERLAPS) + 3))
        has_times = False
        for name, one in zip(names, predictions, strict=True):
            found = errors_in(paired(one.glosses, one.predicted))
            errors[row[name]] += found.total
            num_glosses[row[name]] += found.num_glosses
            if one.starts is not None and one.ends is not None:
                has_times = True
                segments[row[name]] += _segments(one, one.starts, one.ends)
        return cls(signers, errors, num_glosses, segments if has_times else None)

    def metrics(
        self, weights: Float64[np.ndarray, "draws signers"]
    ) -> dict[str, Float64[np.ndarray, " draws"]]:
        """Of all sentences together, by the names of `SentenceMetrics`."""
        wer = (weights @ self.errors) / (weights @ self.num_glosses)
        in_time = {} if self.segments is None else rates_in_time(weights @ self.segments)
        return {"wer": wer, "gloss_accuracy": 1 - wer, **in_time}


def counts_of(
    folds: Iterable[ResultFolder], of_sentences: bool, classifier: str = ""
) -> PeopleCounts:
    """Kept answers of one seed, its folds together; `classifier` is one of isolated signs.

    `FileNotFoundError` where a fold keeps none.
    """
    if of_sentences:
        return SentenceCounts.of(pooled(one.sentence_predictions() for one in folds))
    return SignerCounts.of(pooled(one.predictions(classifier) for one in folds))


def _segments(
    one: SentencePrediction, starts: Sequence[int], ends: Sequence[int]
) -> Float64[np.ndarray, " numbers"]:
    place = {name: index for index, name in enumerate({*one.glosses, *one.predicted})}
    return count_segments(
        np.array([place[name] for name in one.predicted], np.int64),
        _bounds(one.predicted_starts, one.predicted_ends),
        np.array([place[name] for name in one.glosses], np.int64),
        _bounds(starts, ends),
    ).numbers


def _bounds(starts: Sequence[int], ends: Sequence[int]) -> Int64[np.ndarray, "glosses 2"]:
    return np.stack((np.array(starts, np.int64), np.array(ends, np.int64)), axis=1)
