"""Normalisation against the per-frame reference, and what must not change it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import spoter_reference as reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_factory import moved, padded, random_batch, same

from slr_ray.poses.batch import PoseBatch, pad
from slr_ray.poses.handedness import canonical_hand, left_handed, mirrored
from slr_ray.poses.normalisation import (
    NoNormalisation,
    NormalisationConfig,
    SigningSpace,
    SpoterNormalisation,
    features,
    normalise,
    num_channels,
)
from slr_ray.poses.shards import ShardReader
from slr_ray.poses.skeleton import INDEX, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

CONFIGS = [
    SpoterNormalisation(),
    SpoterNormalisation(canonical_hand=True),
    SigningSpace(),
    SigningSpace(hand_shape=False, found_flags=False),
    SigningSpace(canonical_hand=True, found_flags=False),
    SigningSpace(distances=True, directions=True, velocities=True),
    NoNormalisation(),
]
SEEDS = st.integers(0, 10_000)


def _agrees(
    batch: PoseBatch,
    ours: torch.Tensor,
    expected: Callable[[np.ndarray, np.ndarray], np.ndarray],
    tolerance: float = 1e-5,
) -> None:
    """Relative to the size of the coordinates, which are far out where a box is tiny."""
    for clip, length in enumerate(batch.num_frames.tolist()):
        positions = batch.positions[clip, :length].double().numpy()
        wanted = expected(positions, batch.joint_mask[clip, :length].numpy())
        size = 1 + np.abs(wanted).max()
        assert np.abs(ours[clip, :length].numpy() - wanted).max() <= tolerance * size


def _hand_shapes(batch: PoseBatch) -> torch.Tensor:
    shapes = features(batch, SigningSpace(found_flags=False))[..., 2 * NUM_JOINTS :]
    return shapes.unflatten(-1, (42, 2))


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.1, 0.5, 0.9]))
@settings(max_examples=25, deadline=None)
def test_agrees_with_the_reference(seed: int, missing: float) -> None:
    batch = random_batch(seed, missing=missing)
    spoter = normalise(batch, SpoterNormalisation())
    _agrees(batch, spoter.positions, reference.spoter)
    space = normalise(batch, SigningSpace())
    _agrees(batch, space.positions, reference.signing_space)
    _agrees(batch, _hand_shapes(batch), reference.hand_shape)


@pytest.mark.real_data
def test_agrees_with_the_reference_on_real_clips(real_data: Path) -> None:
    reader = ShardReader(str(real_data / "wild" / "wild12.parquet"))
    clips = list(islice(reader, 0, 600, 30))
    batch = pad([one.positions for one in clips], [one.confidence for one in clips], 256)
    spoter = normalise(batch, SpoterNormalisation()).positions
    _agrees(batch, spoter, reference.spoter)
    _agrees(batch, normalise(batch, SigningSpace()).positions, reference.signing_space)
    _agrees(batch, _hand_shapes(batch), reference.hand_shape)
    hands = spoter[:, :, LEFT_HAND.start :][batch.joint_mask[:, :, LEFT_HAND.start :]]
    assert hands.min() >= 1 / 12 - 1e-3
    assert hands.max() <= 11 / 12 + 1e-3


def test_values_worked_out_by_hand() -> None:
    batch = random_batch(0, (2,), missing=0)
    for joint, x, y in (
        ("leftShoulder", 0.7, 0.6),
        ("rightShoulder", 0.5, 0.6),
        ("neck", 0.6, 0.6),
        ("leftEye", 0.62, 0.4),
    ):
        batch.positions[:, :, INDEX[joint]] = torch.tensor([x, y])
    batch.positions[:, :, INDEX["leftWrist"]] = torch.tensor([0.9, 1.4])
    # h = 0.2: the box runs from x 0 to 1.2 and from y 0.2 to 1.4.
    spoter = normalise(batch, SpoterNormalisation()).positions
    torch.testing.assert_close(spoter[0, 0, INDEX["leftWrist"]], torch.tensor([0.75, 1.0]))
    space = normalise(batch, SigningSpace()).positions
    torch.testing.assert_close(space[0, 0, INDEX["leftWrist"]], torch.tensor([1.5, 4.0]))


def test_the_last_box_is_reused_and_none_is_invented() -> None:
    batch = random_batch(1, (3,), missing=0)
    for frame in (0, 2):
        for joint in ("leftShoulder", "rightShoulder", "neck"):
            batch.confidence[0, frame, INDEX[joint]] = 0
            batch.positions[0, frame, INDEX[joint]] = 0
    batch.positions[0, 2, INDEX["nose"]] = batch.positions[0, 1, INDEX["nose"]]
    spoter = normalise(batch, SpoterNormalisation()).positions
    nose = INDEX["nose"]
    assert torch.equal(spoter[0, 0, nose], batch.positions[0, 0, nose])
    assert torch.equal(spoter[0, 2, nose], spoter[0, 1, nose])
    assert not torch.equal(spoter[0, 1, nose], batch.positions[0, 1, nose])


@given(
    seed=SEEDS,
    shift=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    scale=st.floats(0.3, 3),
    missing=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=25, deadline=None)
def test_translation_and_uniform_scale_change_nothing(
    seed: int, shift: tuple[float, float], scale: float, missing: float
) -> None:
    batch = random_batch(seed, missing=missing)
    # Without any shoulders or boxes there is nothing to be invariant to.
    batch.confidence[:, 0, [INDEX["leftShoulder"], INDEX["rightShoulder"]]] = 1
    batch.positions[:, 0, INDEX["leftShoulder"]] = torch.tensor([0.7, 0.6])
    batch.positions[:, 0, INDEX["rightShoulder"]] = torch.tensor([0.4, 0.6])
    elsewhere = moved(batch, shift, scale)
    configs: list[NormalisationConfig] = [SigningSpace()]
    if not missing:
        configs.append(SpoterNormalisation())
    for config in configs:
        before, after = features(batch, config), features(elsewhere, config)
        torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3 * float(before.abs().max()))


@pytest.mark.parametrize("config", CONFIGS)
def test_features_have_their_width_and_padding_does_not_matter(
    config: NormalisationConfig,
) -> None:
    batch = random_batch(2)
    ours = features(batch, config)
    assert ours.shape == (*batch.confidence.shape[:2], num_channels(config))
    assert (ours[~batch.frame_mask] == 0).all()
    assert torch.equal(features(padded(batch, 9), config)[:, : ours.shape[1]], ours)
    alone = PoseBatch(batch.positions[3:], batch.confidence[3:], batch.num_frames[3:])
    assert torch.equal(features(alone, config), ours[3:])


@pytest.mark.parametrize("config", CONFIGS)
def test_missing_joints_stay_missing_and_found_ones_move(config: NormalisationConfig) -> None:
    batch = random_batch(3)
    before = batch.positions.clone()
    ours = normalise(batch, config)
    assert (ours.positions[~ours.joint_mask] == 0).all()
    assert torch.equal(batch.positions, before)
    if config.kind == "none":
        assert same(ours, batch)
    else:
        assert not torch.allclose(ours.positions, batch.positions, atol=0.05)


def test_what_features_say_of_missing_joints() -> None:
    batch = random_batch(4)
    published = features(batch, SpoterNormalisation()).unflatten(2, (54, 2))
    assert (published[batch.frame_mask[..., None] & ~batch.joint_mask] == -0.5).all()
    flags = features(batch, SigningSpace())[..., -14:]
    assert torch.equal(flags[..., :12] == 1, batch.joint_mask[..., :12])
    assert torch.equal(flags[..., 12] == 1, batch.joint_mask[..., LEFT_HAND].any(dim=2))
    assert torch.equal(flags[..., 13] == 1, batch.joint_mask[..., RIGHT_HAND].any(dim=2))


def test_a_clip_without_shoulders_or_hands_is_finite() -> None:
    batch = random_batch(5, (4,), missing=0)
    lost = [INDEX["leftShoulder"], INDEX["neck"], *range(LEFT_HAND.start, RIGHT_HAND.stop)]
    batch.confidence[:, :, lost] = 0
    batch.positions[:, :, lost] = 0
    for config in CONFIGS:
        assert features(batch, config).isfinite().all()


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_mirroring_twice_is_identity(seed: int) -> None:
    batch = random_batch(seed)
    every = torch.ones(batch.num_clips, dtype=torch.bool)
    once = mirrored(batch, every)
    assert not same(once, batch, atol=0.01)
    assert same(mirrored(once, every), batch, atol=1e-6)
    assert same(mirrored(batch, ~every), batch)


def test_left_handed_clips_are_flipped_and_others_are_not() -> None:
    batch = random_batch(6, (8, 8), missing=0)
    batch.confidence[0, 2:6, RIGHT_HAND] = 0
    batch.confidence[1, 2:6, LEFT_HAND] = 0
    batch = batch.with_positions(batch.positions * batch.joint_mask[..., None])
    assert left_handed(batch).tolist() == [True, False]
    turned = canonical_hand(batch)
    assert left_handed(turned).tolist() == [False, False]
    assert torch.equal(turned.positions[1], batch.positions[1])
    wrist = batch.positions[0, :, INDEX["wrist_0"]]
    expected = torch.stack([1 - wrist[:, 0], wrist[:, 1]], dim=-1)
    assert torch.equal(turned.positions[0, :, INDEX["wrist_1"]], expected)


def test_between_hands_seen_equally_often_the_moving_one_counts() -> None:
    batch = random_batch(7, (6,), missing=0)
    batch.positions[:, :, INDEX["wrist_1"]] = 0.5
    assert left_handed(batch).tolist() == [True]
    assert left_handed(mirrored(batch, torch.tensor([True]))).tolist() == [False]


def test_every_operation_runs_on_the_device_of_the_batch() -> None:
    # The meta device has no data, but refuses to meet a tensor of another device.
    batch = random_batch(8).to(torch.device("meta"))
    for config in CONFIGS:
        assert features(batch, config).device.type == "meta"
