"""Metrics against scikit-learn and hand values."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss, top_k_accuracy_score

from slr_ray.evaluation.metrics import calibration_error, confusion, f1_scores, measure


def predictions(seed: int, num_clips: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.random((num_clips, 8)) ** 3
    return raw / raw.sum(axis=1, keepdims=True), rng.integers(0, 8, num_clips)


@pytest.mark.parametrize("seed", range(3))
def test_against_scikit_learn(seed: int) -> None:
    probabilities, glosses = predictions(seed)
    predicted = probabilities.argmax(axis=1)
    found = measure(probabilities, glosses)
    assert found.accuracy == pytest.approx((predicted == glosses).mean())
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(glosses, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(glosses, predicted, average="macro"))
    assert found.top5_accuracy == pytest.approx(top_k_accuracy_score(glosses, probabilities, k=5))
    assert found.loss == pytest.approx(log_loss(glosses, probabilities, labels=range(8)), rel=1e-5)


def test_a_gloss_that_is_absent_does_not_count() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    found = measure(probabilities, np.array([0, 1]))
    assert found.balanced_accuracy == found.macro_f1 == 1.0
    scores = f1_scores(confusion(np.array([0, 1]), np.array([0, 1]), 3))
    assert np.isnan(scores[2])


def test_calibration_error_hand_value() -> None:
    # Two clips at confidence 0.8, one right: gap 0.3 in their bin, a third at 1.0 and right.
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.0, 1.0]])
    glosses = np.array([0, 1, 1])
    assert calibration_error(probabilities, glosses) == pytest.approx(0.6 / 3)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="no labelled clip"):
        measure(np.zeros((0, 3)), np.zeros(0, np.int64))
