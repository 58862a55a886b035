"""Perturbations against plain loops, at the strength that changes nothing, and graded."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from clip_factory import make_clip
from pydantic import ValidationError

from slr_ray.evaluation.perturbations import (
    CLEAN,
    Kind,
    Perturbation,
    Perturbations,
    PerturbedClips,
    perturbed,
)
from slr_ray.poses.reading import ClipsInMemory
from slr_ray.poses.skeleton import INDEX, MIRROR

DROPPING: tuple[Kind, ...] = ("dropped_joints", "dropped_frames")


def clip_frames(num_frames: int = 40, seed: int = 0, missing: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    frames = rng.uniform(0.1, 0.9, (num_frames, 54, 3)).astype(np.float32)
    frames[rng.random((num_frames, 54)) < missing] = 0
    return frames


def under(kind: Kind, strength: float, frames: np.ndarray, aspect: float = 1.0) -> np.ndarray:
    what = Perturbation(kind, strength)
    return perturbed(frames, what, np.random.default_rng(7), aspect)


@pytest.mark.parametrize("kind", get_args(Kind))
class TestEveryKind:
    def test_at_the_clean_strength_nothing_changes(self, kind: Kind) -> None:
        frames = clip_frames()
        np.testing.assert_allclose(under(kind, CLEAN[kind], frames), frames, atol=1e-6)

    def test_what_is_missing_stays_missing_and_the_clip_is_left_alone(self, kind: Kind) -> None:
        frames = clip_frames()
        before = frames.copy()
        for strength in getattr(Perturbations(), kind):
            found = under(kind, strength, frames, 1.5)
            assert found.dtype == np.float32
            assert (found[found[..., 2] == 0] == 0).all()
            assert (found[..., 2] > 0).sum() <= (frames[..., 2] > 0).sum()
            assert not np.array_equal(found, frames)
        np.testing.assert_array_equal(frames, before)

    def test_a_clip_of_one_frame_keeps_it(self, kind: Kind) -> None:
        frames = clip_frames(1, missing=0)
        for strength in getattr(Perturbations(), kind):
            assert len(under(kind, strength, frames)) == 1

    def test_draws_hang_on_seed_and_clip_alone(self, kind: Kind) -> None:
        clips = ClipsInMemory([make_clip(name, 30) for name in "abc"])
        what = Perturbation(kind, getattr(Perturbations(), kind)[0])
        one, again, other = (PerturbedClips(clips, what, seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.frames_of(1), again.frames_of(1))
        if kind in ("translation", *DROPPING):
            assert not np.array_equal(one.frames_of(1), other.frames_of(1))
            # The clips are the same but for their places.
            assert not np.array_equal(one.frames_of(1), one.frames_of(2))
        assert one.num_frames.tolist() == [30] * 3


@pytest.mark.parametrize("aspect", [1.0, 16 / 9])
@pytest.mark.parametrize("degrees", [-30.0, 90.0])
def test_rotation_by_a_plain_loop_turns_in_the_picture_and_not_in_fractions(
    degrees: float, aspect: float
) -> None:
    frames = clip_frames(3)
    found = under("rotation", degrees, frames, aspect)
    angle = math.radians(degrees)
    for frame in range(3):
        for joint in range(54):
            x, y, confidence = (float(one) for one in frames[frame, joint])
            if not confidence:
                continue
            # In pixels of a picture that is 100 high.
            right, down = (x - 0.5) * aspect * 100, (y - 0.5) * 100
            across = math.cos(angle) * right - math.sin(angle) * down
            along = math.sin(angle) * right + math.cos(angle) * down
            expected = (across / (aspect * 100) + 0.5, along / 100 + 0.5, confidence)
            assert found[frame, joint].tolist() == pytest.approx(expected, abs=1e-5)


def test_rotation_is_clockwise_as_one_sees_it() -> None:
    frames = np.ones((1, 54, 3), np.float32)
    frames[..., :2] = (0.5, 0.2)
    np.testing.assert_allclose(under("rotation", 90.0, frames)[0, 0], [0.8, 0.5, 1], atol=1e-6)


def test_scale_and_translation_by_hand() -> None:
    frames = np.ones((2, 54, 3), np.float32)
    frames[..., :2] = (0.7, 0.1)
    np.testing.assert_allclose(under("scale", 0.5, frames)[1, 3], [0.6, 0.3, 1], atol=1e-6)
    shifts = [
        perturbed(frames, Perturbation("translation", 0.3), np.random.default_rng(seed))[..., :2]
        - frames[..., :2]
        for seed in range(200)
    ]
    assert all(np.ptp(one, axis=(0, 1)).max() < 1e-6 for one in shifts)
    ways = np.array([one[0, 0] for one in shifts])
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 0.3, rtol=1e-5)
    # In any direction, not along the axes only.
    assert (np.abs(ways.mean(axis=0)) < 0.05).all()


def test_a_mirrored_camera_exchanges_left_and_right() -> None:
    frames = clip_frames()
    found = under("mirror", 1.0, frames)
    for joint, name in enumerate(MIRROR):
        seen = frames[:, name, 2] > 0
        np.testing.assert_allclose(found[seen, joint, 0], 1 - frames[seen, name, 0], atol=1e-6)
        np.testing.assert_array_equal(found[seen, joint, 1], frames[seen, name, 1])
    assert MIRROR[INDEX["wrist_0"]] == INDEX["wrist_1"]
    np.testing.assert_allclose(under("mirror", 1.0, found), frames, atol=1e-6)


@pytest.mark.parametrize("kind", DROPPING)
def test_stronger_losses_contain_the_weaker_and_have_their_share(kind: Kind) -> None:
    frames = clip_frames(600, missing=0)
    lost = [under(kind, share, frames)[..., 2] == 0 for share in (0.1, 0.3, 0.5, 0.9)]
    assert all((less <= more).all() for less, more in pairwise(lost))
    shares = [one.mean() for one in lost]
    assert shares == pytest.approx([0.1, 0.3, 0.5, 0.9], abs=0.06)
    by_frame = lost[1].all(axis=1)
    assert by_frame.any() == (kind == "dropped_frames")
    assert (lost[1].any(axis=1) == by_frame).all() == (kind == "dropped_frames")


def test_one_frame_stays_when_all_go() -> None:
    frames = clip_frames(missing=0)
    found = under("dropped_frames", 1.0, frames)[..., 2] > 0
    assert found.any(axis=1).sum() == 1
    assert not (under("dropped_joints", 1.0, frames) > 0).any()


@pytest.mark.parametrize(
    ("share", "kept"),
    [(1.0, [0, 1, 2, 3, 4, 5]), (0.5, [0, 2, 4]), (0.34, [0, 3, 5]), (0.75, [0, 1, 3, 4, 5])],
)
def test_a_slower_camera_takes_evenly_spaced_frames(share: float, kept: list[int]) -> None:
    frames = np.arange(6, dtype=np.float32)[:, None, None] + np.ones((6, 54, 3), np.float32)
    assert (under("frame_rate", share, frames)[:, 0, 0] - 1).tolist() == kept


def test_strengths_are_data_in_order_and_once_each() -> None:
    settings = Perturbations(
        scale=(2.0, 0.5, 2.0),
        translation=(),
        rotation=(),
        mirror=(),
        dropped_joints=(0.3,),
        dropped_frames=(),
        frame_rate=(),
    )
    assert [(one.kind, one.strength) for one in settings.all()] == [
        ("scale", 0.5),
        ("scale", 2.0),
        ("dropped_joints", 0.3),
    ]
    assert {one.kind for one in Perturbations().all()} == set(get_args(Kind)) == set(CLEAN)
    for wrong in ({"scale": [0]}, {"mirror": [1.5]}, {"frame_rate": [0]}, {"blur": [1]}):
        with pytest.raises(ValidationError):
            Perturbations.model_validate(wrong)
