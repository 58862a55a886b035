"""An arm's folds on sentences as one record: what is counted is added, not averaged."""

from __future__ import annotations

import numpy as np
import pytest
from sentence_records import arm_record, prediction

from slr_ray.records.measured import of_sentences
from slr_ray.search.comparison.pooled_sentences import pooled_sentence_record

GLOSSES = ("a", "b", "c")
FOLDS = (
    # All right; then one substituted, one deleted and one inserted of five.
    [prediction("1", "ab", "ab", signer="ann")],
    [
        prediction("2", "ab", "ac", signer="ben"),
        prediction("3", "c", "", signer="ben", timed=False),
        prediction("4", "ab", "abb", signer="cem"),
    ],
)
CONFUSIONS = ([[1, 0, 0], [0, 1, 0], [0, 0, 0]], [[2, 0, 0], [0, 1, 1], [0, 0, 0]])


def test_counts_are_added_and_rates_are_those_of_all_sentences() -> None:
    every = [one for fold in FOLDS for one in fold]
    folds = [
        arm_record("fsl", 0, 0.8, fold).model_copy(update={"confusion": confusion})
        for fold, confusion in zip(FOLDS, CONFUSIONS, strict=True)
    ]
    found = pooled_sentence_record(folds, every, GLOSSES)
    test = of_sentences(found.test)
    assert (test.num_clips, test.num_glosses) == (4, 7)
    assert (test.substitutions, test.deletions, test.insertions) == (1, 1, 1)
    # A mean over folds would be (0 + 3/5) / 2.
    assert test.wer == pytest.approx(3 / 7) == 1 - test.gloss_accuracy
    # Of the three sentences with times: 7 segments said, 6 true, 5 of their gloss and place.
    assert test.segment_f1_50 == pytest.approx(2 * 5 / 13)
    assert test.boundary_f1_50 == pytest.approx(2 * 6 / 13)
    assert test.frame_accuracy == pytest.approx(5 / 6)
    assert test.loss == pytest.approx(2.5)
    assert found.f1_per_gloss == pytest.approx({"a": 1.0, "b": 2 * 2 / 6, "c": 0.0})
    assert np.trace(np.array(found.confusion)) == 5
    lengths = [(one.num_glosses, one.num_clips, one.wer) for one in found.by_length]
    assert lengths == [(1, 1, 1.0), (2, 3, pytest.approx(1 / 3))]
    # Means of a training.
    assert found.training_s == 20.0
    assert found.num_steps == 80


def test_what_a_fold_lacks_is_unknown() -> None:
    folds = [arm_record("fsl", 0, 0.8, fold) for fold in FOLDS]
    validation = of_sentences(folds[0].validation).model_copy(update={"frame_accuracy": None})
    folds[0] = folds[0].model_copy(update={"validation": validation, "confusion": CONFUSIONS[0]})
    folds[1] = folds[1].model_copy(update={"confusion": CONFUSIONS[1]})
    found = pooled_sentence_record(folds, [one for fold in FOLDS for one in fold], GLOSSES)
    assert of_sentences(found.validation).frame_accuracy is None
    assert of_sentences(found.validation).segment_f1_50 == pytest.approx(0.3)
