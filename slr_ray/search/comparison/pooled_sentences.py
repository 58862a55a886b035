"""An arm's folds as one result, on sentences: errors of all test sentences together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from slr_ray.records.measured import LengthErrors, SentenceMetrics, of_sentences
from slr_ray.records.runs import ArmRecord
from slr_ray.records.sentence_predictions import SentencePrediction
from slr_ray.reporting.sentences.answered import Answered
from slr_ray.search.comparison.pooled_arm import pooled_arm, pooled_confusion
from slr_ray.sentences.people import SentenceCounts
from slr_ray.sentences.word_errors import WordErrors

_COUNTED = {
    *("num_clips", "num_glosses", "substitutions", "deletions", "insertions"),
    *("wer", "gloss_accuracy"),
}


def pooled_sentence_record(
    folds: Sequence[ArmRecord], predictions: Sequence[SentencePrediction], glosses: Sequence[str]
) -> ArmRecord:
    """One record of one arm's folds on one seed; `predictions` are those of all of them.

    Word errors and segments are those of all sentences together; loss and share of non-blank steps,
    and all of validation but its WER, are means over folds weighted by sentences.
    """
    every = Answered("", 0, [predictions], (), ())
    test = _mean([of_sentences(one.test) for one in folds])
    together = SentenceCounts.of(predictions).once()
    return pooled_arm(
        folds,
        validation=_mean([of_sentences(one.validation) for one in folds]),
        test=test.model_copy(update=together),
        f1_per_gloss=_f1(predictions, pooled_confusion(folds), glosses),
        by_length=tuple(
            LengthErrors(num_glosses=length, num_clips=count, wer=errors.rate)
            for length, (count, errors) in every.by_length().items()
        ),
    )


def _mean(folds: Sequence[SentenceMetrics]) -> SentenceMetrics:
    """Sums of what is counted, the rates of these sums, and means of the rest; None where a fold
    has none.
    """
    errors = WordErrors.together(
        WordErrors(one.substitutions, one.deletions, one.insertions, one.num_glosses)
        for one in folds
    )
    clips, means = [one.num_clips for one in folds], {}
    for name in SentenceMetrics.model_fields.keys() - _COUNTED:
        values = [getattr(one, name) for one in folds]
        means[name] = None if None in values else float(np.average(values, weights=clips))
    return SentenceMetrics(
        num_clips=sum(clips),
        num_glosses=errors.num_glosses,
        substitutions=errors.substitutions,
        deletions=errors.deletions,
        insertions=errors.insertions,
        wer=errors.rate,
        gloss_accuracy=errors.gloss_accuracy,
        **means,
    )


def _f1(
    predictions: Sequence[SentencePrediction],
    confusion: Int64[np.ndarray, "glosses glosses"],
    glosses: Sequence[str],
) -> dict[str, float]:
    """By gloss, of those that are signed or said."""
    times = Counter(name for one in predictions for name in (*one.glosses, *one.predicted))
    return {
        name: float(2 * confusion[index, index] / times[name])
        for index, name in enumerate(glosses)
        if times[name]
    }
