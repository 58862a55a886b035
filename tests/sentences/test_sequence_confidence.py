"""Confidences of hypotheses by hand."""

from __future__ import annotations

import numpy as np
import pytest
from every_path import every_sequence, random_log_probs, sequences

from slr_ray.sentences.beam_search import beam_search
from slr_ray.sentences.lattice import log_likelihoods
from slr_ray.sentences.sequence_confidence import (
    by_likelihood,
    by_margin,
    by_views,
    spike_confidence,
)


def test_likelihood_is_a_mean_over_glosses() -> None:
    found = by_likelihood(np.log([0.25, 0.25, 0.5]), np.array([2, 1, 0]))
    np.testing.assert_allclose(found, [0.5, 0.25, 0.5])


def test_views_by_hand() -> None:
    said = sequences((0, 1, 2, 3), (), (), (4,))
    views = [
        sequences((0, 1, 2, 3), (), (1, 2), (4,)),
        sequences((0, 2, 3, 5, 6), (), (), ()),
    ]
    # Of the second view three edits of five, then none, none, and one of one.
    np.testing.assert_allclose(by_views(said, views), [1 - 0.3, 1.0, 0.5, 0.5])


def test_margin_and_likelihood_of_a_search() -> None:
    log_probs = random_log_probs(3, 1, 5, 3)
    best, second = beam_search(log_probs, np.array([5]), 100, 2)[0]
    every = sorted(every_sequence(log_probs[0]).values(), reverse=True)
    margin = by_margin(np.array([best.log_probability]), np.array([second.log_probability]))
    assert margin[0] == pytest.approx(1 - np.exp(every[1] - every[0]))
    total = log_likelihoods(log_probs, np.array([5]), [best.glosses])
    assert total[0] == pytest.approx(every[0])
    assert by_margin(np.array([-1.0]), np.array([-np.inf])).tolist() == [1.0]
    sure = spike_confidence(log_probs[0], best)
    for gloss, step, one in zip(best.glosses, best.steps, sure, strict=True):
        assert one == pytest.approx(np.exp(log_probs[0, step, gloss + 1]))
