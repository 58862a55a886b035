"""Gaps filled and tracks smoothed, and that nobody takes a filled joint for a found one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slr_ray.config import build
from slr_ray.errors import ConfigError
from slr_ray.poses.skeleton import NUM_JOINTS
from slr_ray.videos.detection.config import (
    ExtractionConfig,
    NoSmoothing,
    OneEuro,
    SavitzkyGolay,
    Smoothing,
)
from slr_ray.videos.detection.smoothing import (
    INTERPOLATED_CONFIDENCE,
    LEAST_CONFIDENCE,
    fill_gaps,
    smooth,
)

SMOOTHINGS = [NoSmoothing(), OneEuro(), SavitzkyGolay()]


def track(*x: float | None) -> tuple[np.ndarray, np.ndarray]:
    """All joints along the same x, y = 2x; None where missing."""
    positions = np.zeros((len(x), NUM_JOINTS, 2), np.float32)
    confidence = np.zeros((len(x), NUM_JOINTS), np.float32)
    for frame, value in enumerate(x):
        if value is not None:
            positions[frame] = value, 2 * value
            confidence[frame] = 0.9
    return positions, confidence


def test_a_short_gap_is_a_straight_line() -> None:
    positions, confidence = fill_gaps(*track(0.1, None, None, 0.4), 2)
    np.testing.assert_allclose(positions[:, 5, 0], [0.1, 0.2, 0.3, 0.4], atol=1e-6)
    np.testing.assert_allclose(positions[:, 5, 1], [0.2, 0.4, 0.6, 0.8], atol=1e-6)
    assert confidence[1, 5] == confidence[2, 5] == INTERPOLATED_CONFIDENCE


def test_longer_gaps_and_ends_stay_missing() -> None:
    given_track = track(None, 0.1, None, None, None, 0.5, None)
    positions, confidence = fill_gaps(*given_track, 2)
    np.testing.assert_array_equal(positions, given_track[0])
    np.testing.assert_array_equal(confidence, given_track[1])


def test_off_by_default() -> None:
    given_track = track(0.1, None, 0.3)
    assert fill_gaps(*given_track, ExtractionConfig().max_gap_frames)[1][1, 0] == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**16), longest=st.integers(0, 6))
def test_filled_joints_can_always_be_told_from_found_ones(seed: int, longest: int) -> None:
    draw = np.random.default_rng(seed)
    positions = draw.random((20, NUM_JOINTS, 2), np.float32)
    confidence = draw.uniform(LEAST_CONFIDENCE, 1, (20, NUM_JOINTS)).astype(np.float32)
    confidence[draw.random(confidence.shape) < 0.4] = 0
    positions[confidence == 0] = 0
    filled, after = fill_gaps(positions, confidence, longest)
    found = confidence > 0
    np.testing.assert_array_equal(after >= LEAST_CONFIDENCE, found)
    np.testing.assert_array_equal(filled[found], positions[found])
    assert set(np.unique(after[~found])) <= {0, np.float32(INTERPOLATED_CONFIDENCE)}
    assert (filled[after == 0] == 0).all()


@pytest.mark.parametrize("smoothing", SMOOTHINGS, ids=lambda one: one.kind)
def test_missing_joints_stay_missing_and_rest_stays_at_rest(smoothing: Smoothing) -> None:
    positions, confidence = track(0.4, 0.4, None, 0.4, 0.4, 0.4, None)
    after = smooth(positions, confidence, 25.0, 1.5, smoothing)
    np.testing.assert_allclose(after, positions, atol=1e-6)


@pytest.mark.parametrize("smoothing", SMOOTHINGS[1:], ids=lambda one: one.kind)
def test_noise_becomes_less(smoothing: Smoothing) -> None:
    draw = np.random.default_rng(0)
    positions = np.full((200, NUM_JOINTS, 2), 0.5, np.float32)
    positions += draw.normal(0, 0.002, positions.shape).astype(np.float32)
    confidence = np.ones((200, NUM_JOINTS), np.float32)
    after = smooth(positions, confidence, 25.0, 1.5, smoothing)
    assert after[20:].std() < 0.75 * positions[20:].std()


@pytest.mark.parametrize("smoothing", SMOOTHINGS[1:], ids=lambda one: one.kind)
def test_nothing_is_carried_over_a_gap(smoothing: Smoothing) -> None:
    near, far = track(*[0.1] * 5, None, *[0.9] * 5)
    after = smooth(near, far, 25.0, 1.0, smoothing)
    np.testing.assert_allclose(after, near, atol=1e-6)


def test_savitzky_golay_keeps_a_parabola() -> None:
    positions, confidence = track(*[0.01 * frame**2 for frame in range(12)])
    after = smooth(positions, confidence, 25.0, 1.0, SavitzkyGolay(window_frames=7, order=2))
    np.testing.assert_allclose(after, positions, atol=1e-5)


def test_one_euro_against_its_paper_step_by_step() -> None:
    """Casiez et al. 2012, algorithm 1, in plain numbers, x only (square picture, y = 2x)."""
    values = [0.1, 0.12, 0.2, 0.18, 0.4]
    rate, settings_ = 30.0, OneEuro(min_cutoff_hz=1.5, beta=3.0)

    def alpha(cutoff: float) -> float:
        tau = 1 / (2 * np.pi * cutoff)
        return float(1 / (1 + tau * rate))

    x_hat, dx_hat = values[0], 0.0
    expected = [x_hat]
    for x in values[1:]:
        dx = (x - x_hat) * rate
        dx_hat = alpha(1.0) * dx + (1 - alpha(1.0)) * dx_hat
        # The speed is that of the point, so both coordinates share one cutoff: y moves twice as x.
        a = alpha(1.5 + 3.0 * abs(dx_hat) * np.sqrt(5))
        x_hat = a * x + (1 - a) * x_hat
        expected.append(x_hat)
    after = smooth(*track(*values), rate, 1.0, settings_)
    np.testing.assert_allclose(after[:, 0, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({"smoothing": {"kind": "savitzky_golay", "window_frames": 6}}, "odd"),
        ({"smoothing": {"kind": "savitzky_golay", "window_frames": 3, "order": 3}}, "order"),
        ({"smoothing": {"kind": "median"}}, "smoothing"),
        ({"target_fps": 0}, "target_fps"),
        ({"max_frame": 3}, "max_frames"),
        ({"detection_confidence": 1.5}, "detection_confidence"),
    ],
)
def test_settings_that_cannot_be_are_named(tree: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        build(ExtractionConfig, tree, "test")
