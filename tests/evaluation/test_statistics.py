"""Intervals and paired differences against hand values and scipy's own tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from slr_ray.evaluation.statistics import holm, interval, paired_difference


def test_interval_by_hand() -> None:
    # Mean 2, s = 1, n = 3: t(0.975, 2) = 4.302653 from the printed table.
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == pytest.approx(2.0)
    assert found.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.num_seeds == 3


def test_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).normal(0.6, 0.05, 7).tolist()
    low, high = stats.t.interval(0.95, 6, loc=np.mean(values), scale=stats.sem(values))
    found = interval(values)
    assert found.half_width is not None
    assert found.mean - found.half_width == pytest.approx(low)
    assert found.mean + found.half_width == pytest.approx(high)


def test_one_seed_has_no_interval() -> None:
    assert interval([0.5]).half_width is None
    with pytest.raises(ValueError, match="at least one"):
        interval([])


def test_paired_difference_agrees_with_scipy_over_common_seeds() -> None:
    arm = {0: 0.61, 1: 0.55, 2: 0.66, 3: 0.58, 9: 0.99}
    reference = {3: 0.57, 2: 0.60, 1: 0.56, 0: 0.55, 7: 0.0}
    found = paired_difference(arm, reference)
    expected = stats.ttest_rel([arm[i] for i in range(4)], [reference[i] for i in range(4)])
    low, high = expected.confidence_interval(0.95)
    assert found is not None
    assert found.num_seeds == 4
    assert found.mean == pytest.approx(0.03)  # arm minus reference: the arm is higher
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert found.excludes_zero == (expected.pvalue < 0.05)


def test_pairing_finds_what_the_spread_between_seeds_hides() -> None:
    reference = {0: 0.30, 1: 0.50, 2: 0.70}
    arm = {0: 0.33, 1: 0.54, 2: 0.73}
    found = paired_difference(arm, reference)
    assert found is not None
    assert found.excludes_zero
    unpaired = stats.ttest_ind(list(arm.values()), list(reference.values()))
    assert unpaired.pvalue > 0.5


def test_equal_differences_leave_nothing_to_test() -> None:
    same = paired_difference({0: 0.5, 1: 0.6}, {0: 0.5, 1: 0.6})
    assert same is not None
    assert (same.mean, same.p_value, same.excludes_zero) == (0.0, 1.0, False)
    # One clip in 80 each time; the second pair is equal but for what subtraction rounds.
    for ahead in (
        paired_difference({0: 0.75, 1: 0.5}, {0: 0.5, 1: 0.25}),
        paired_difference({0: 0.5125, 1: 0.6125}, {0: 0.5, 1: 0.6}),
    ):
        assert ahead is not None
        assert ahead.mean > 0
        assert (ahead.half_width, ahead.p_value, ahead.excludes_zero) == (None, None, False)


def test_ties_of_few_clips_are_no_certainty() -> None:
    """Where nothing differs, two seeds of 80 clips agree in one case of ten: that shows nothing."""
    rng = np.random.default_rng(0)
    shown = 0
    for clips in np.round(rng.normal(0, 2, (1000, 2))):
        found = paired_difference({0: clips[0] / 80, 1: clips[1] / 80}, {0: 0.0, 1: 0.0})
        assert found is not None
        shown += found.excludes_zero
    assert shown <= 50


def test_too_few_common_seeds() -> None:
    assert paired_difference({0: 0.5}, {1: 0.5}) is None
    one = paired_difference({0: 0.6, 1: 0.5}, {0: 0.5})
    assert one is not None
    assert one.mean == pytest.approx(0.1)
    assert (one.half_width, one.p_value, one.low, one.excludes_zero) == (None, None, None, False)


def test_holm_by_hand() -> None:
    # Sorted .01 .03 .04 times 3 2 1 = .03 .06 .04; the last may not fall below .06.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
