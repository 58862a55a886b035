"""Augmentation against the per-frame reference; what it may and may not touch; seeds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import spoter_reference as reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pose_factory import padded, random_batch, same
from pydantic import TypeAdapter, ValidationError

from slr_ray.augmentation.affine import about_centre, rotate, shape_matrix, squeeze
from slr_ray.augmentation.arms import rotate_arms
from slr_ray.augmentation.config import (
    AugmentationConfig,
    NoAugmentation,
    SpoterAugmentation,
    StrongAugmentation,
)
from slr_ray.augmentation.dropout import drop_frames, drop_hand, drop_joints
from slr_ray.augmentation.noise import add_noise
from slr_ray.augmentation.perspective import perspective
from slr_ray.augmentation.pipeline import augment
from slr_ray.augmentation.temporal import cut_and_resample
from slr_ray.poses.batch import PoseBatch, pad
from slr_ray.poses.shards import ShardReader
from slr_ray.poses.skeleton import BODY, LEFT_HAND, NUM_JOINTS, RIGHT_HAND

ALL = slice(0, NUM_JOINTS)
SEEDS = st.integers(0, 10_000)
OFF = {name: 0.0 for name in StrongAugmentation.model_fields if name.endswith("_probability")}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _check_spoter_transforms(batch: PoseBatch, seed: int) -> None:
    draw = seeded(seed)
    clips = batch.num_clips
    degrees = torch.rand(clips, generator=draw) * 26 - 13
    left, right = torch.rand(2, clips, generator=draw) * 0.15
    ratio = torch.rand(clips, generator=draw) * 0.1
    from_left = torch.rand(clips, generator=draw) < 0.5
    arms = torch.rand((clips, 2, 3), generator=draw) * 8 - 4
    ours = {
        "rotate": rotate(batch, degrees),
        "squeeze": squeeze(batch, left, right),
        "perspective": perspective(batch, ratio, from_left, BODY),
        "arms": rotate_arms(batch, arms, hands_follow=False),
    }
    for clip, length in enumerate(batch.num_frames.tolist()):
        positions = batch.positions[clip, :length].double().numpy()
        found = batch.joint_mask[clip, :length].numpy()
        start, end, m = float(left[clip]), 1 - float(right[clip]), float(ratio[clip])
        pushed = [(m, m), (1, 0), (m, 1 - m), (1, 1)]
        if not from_left[clip]:
            pushed = [(0, 0), (1 - m, m), (0, 1), (1 - m, 1 - m)]
        pressed = [(start, 0), (end, 0), (start, 1), (end, 1)]
        expected = {
            "rotate": reference.rotate(positions, found, float(degrees[clip])),
            "squeeze": reference.project(positions, found, pressed),
            "perspective": reference.project(positions, found, pushed),
            "arms": reference.rotate_arms(positions, found, arms[clip].numpy()),
        }
        for name, wanted in expected.items():
            np.testing.assert_allclose(
                ours[name].positions[clip, :length].numpy(), wanted, atol=1e-5, err_msg=name
            )
    for name, one in ours.items():
        assert not same(one, batch, atol=1e-3), f"{name} moved nothing"
        assert (one.positions[~batch.joint_mask] == 0).all()


@given(seed=SEEDS, missing=st.sampled_from([0.0, 0.1, 0.3]))
@settings(max_examples=15, deadline=None)
def test_spoter_transforms_agree_with_the_reference(seed: int, missing: float) -> None:
    _check_spoter_transforms(random_batch(seed, (9, 1, 14, 6), missing=missing), seed)


@pytest.mark.real_data
def test_spoter_transforms_agree_on_real_clips(real_data: Path) -> None:
    reader = ShardReader(str(real_data / "wild" / "wild12.parquet"))
    clips = list(islice(reader, 0, 600, 60))
    batch = pad([one.positions for one in clips], [one.confidence for one in clips], 256)
    _check_spoter_transforms(batch, 1)


def test_hands_follow_their_arm_rigidly() -> None:
    batch = random_batch(1, (5,), missing=0)
    degrees = torch.zeros(1, 2, 3)
    degrees[0, 0, 1] = 20.0
    moved = rotate_arms(batch, degrees, hands_follow=True).positions
    torch.testing.assert_close(moved[:, :, RIGHT_HAND], batch.positions[:, :, RIGHT_HAND])
    for before, after in zip(batch.positions[0], moved[0], strict=True):
        arm = [9, 11, *range(LEFT_HAND.start, LEFT_HAND.stop)]
        torch.testing.assert_close(torch.pdist(after[arm]), torch.pdist(before[arm]))
        assert (after[arm] - before[arm]).abs().max() > 0.01


def test_spoter_moves_about_half_of_the_clips_each_in_one_of_four_ways() -> None:
    batch = random_batch(2, (3,) * 800, missing=0)
    config = SpoterAugmentation(arm_joint_probability=1.0)
    moved = (augment(batch, config, seeded()).positions - batch.positions).abs() > 1e-7
    body, hands = moved[:, :, BODY].flatten(1).any(1), moved[:, :, BODY.stop :].flatten(1).any(1)
    legs = moved[:, :, 0].flatten(1).any(1)
    assert 0.42 < body.float().mean() < 0.58
    assert (~hands | body).all()
    rotated, arms = hands, body & ~legs
    squeezed = body & ~hands & legs & ~moved[:, :, BODY, 1].flatten(1).any(1)
    projected = body & ~rotated & ~arms & ~squeezed
    for one in (rotated, arms, squeezed, projected):
        assert 0.17 < one.sum() / body.sum() < 0.33


CONFIGS: list[AugmentationConfig] = [
    NoAugmentation(),
    SpoterAugmentation(probability=1.0),
    StrongAugmentation(),
    StrongAugmentation(**dict.fromkeys(OFF, 1.0)),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_padding_and_missing_joints_stay_and_the_input_is_not_changed(
    config: AugmentationConfig,
) -> None:
    batch = random_batch(3, (9, 1, 14, 6))
    before = PoseBatch(batch.positions.clone(), batch.confidence.clone(), batch.num_frames.clone())
    ours = augment(batch, config, seeded())
    assert same(batch, before)
    assert (ours.positions[~ours.joint_mask] == 0).all()
    assert not ours.joint_mask[~ours.frame_mask].any()
    assert ours.positions.isfinite().all()
    assert (ours.num_frames >= 1).all()
    assert (ours.num_frames <= 14).all()
    assert same(ours, batch) == (config.kind == "none")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("padding", [0, 3, 20])
def test_the_seed_decides_and_padding_does_not(config: AugmentationConfig, padding: int) -> None:
    batch = random_batch(4, (9, 2, 14, 6))
    one, two, other = seeded(5), seeded(5), seeded(6)
    first, again = augment(batch, config, one), augment(padded(batch, padding), config, two)
    assert same(first, again, atol=1e-6)
    # What is drawn next does not depend on the padding either.
    assert torch.equal(torch.rand(4, generator=one), torch.rand(4, generator=two))
    if config.kind != "none":
        assert not same(first, augment(batch, config, other), atol=1e-3)


def test_without_strength_nothing_moves() -> None:
    batch = random_batch(5, (9, 1, 14, 6))
    weak_spoter = SpoterAugmentation(
        probability=1, rotation_degrees=0, perspective_ratio=0, squeeze_ratio=0, arm_degrees=0
    )
    weak = StrongAugmentation(
        **dict.fromkeys(OFF, 1.0) | {"mirror_probability": 0.0},
        **dict.fromkeys(("rotation_degrees", "scale", "stretch", "shear", "translation"), 0.0),
        **dict.fromkeys(("perspective_ratio", "arm_degrees", "cut_fraction"), 0.0),
        **dict.fromkeys(("hand_degrees", "hand_stretch", "bend_degrees"), 0.0),
        **dict.fromkeys(("frame_dropout", "hand_dropout_fraction", "joint_dropout"), 0.0),
        speed=1.0,
    )
    for config in (weak_spoter, weak, StrongAugmentation(**OFF)):
        assert same(augment(batch, config, seeded()), batch, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(OFF) - {"arm_joint_probability"}))
def test_each_strong_transform_alone_does_something(name: str) -> None:
    batch = random_batch(6, (30,) * 8, missing=0)
    on = OFF | {name: 1.0, "arm_joint_probability": 1.0}
    assert not same(augment(batch, StrongAugmentation(**on), seeded()), batch, atol=1e-3)


def test_the_shape_matrix_is_what_its_names_say() -> None:
    one, zero = torch.ones(1), torch.zeros(1)
    assert torch.equal(shape_matrix(one, one, zero, zero), torch.eye(2)[None])
    scaled = shape_matrix(2 * one, one, zero, zero)
    torch.testing.assert_close(scaled, 2 * torch.eye(2)[None])
    stretched = shape_matrix(one, 1.25 * one, zero, zero)
    torch.testing.assert_close(stretched, torch.diag(torch.tensor([1.25, 0.8]))[None])
    sheared = shape_matrix(one, one, 0.5 * one, zero)
    torch.testing.assert_close(sheared, torch.tensor([[[1, 0.5], [0, 1]]]))
    batch = random_batch(7, (4,), missing=0)
    moved = about_centre(batch, scaled, torch.tensor([[0.1, -0.2]])).positions
    expected = 0.5 + 2 * (batch.positions - 0.5) + torch.tensor([0.1, -0.2])
    torch.testing.assert_close(moved, expected)


def test_perspective_of_all_joints_keeps_what_is_straight() -> None:
    batch = random_batch(8, (1,), missing=0)
    along = torch.linspace(0.1, 0.9, NUM_JOINTS)
    batch.positions[0, 0] = torch.stack([along, 0.2 + 0.5 * along], dim=-1)
    moved = perspective(batch, torch.tensor([0.1]), torch.tensor([True]), ALL).positions[0, 0]
    steps = (moved[1:] - moved[:-1]).double()
    slope = steps[:, 1] / steps[:, 0]
    torch.testing.assert_close(slope, slope[:1].expand_as(slope), rtol=1e-3, atol=0)
    assert steps[-1].norm() > 1.1 * steps[0].norm()


def test_time_is_cut_and_resampled() -> None:
    batch = random_batch(9, (10, 20), missing=0)
    times = torch.arange(20.0)[:, None, None].expand(20, NUM_JOINTS, 2)
    batch = batch.with_positions((times + 1) * batch.joint_mask[..., None])
    half, tenth, none = torch.tensor([2.0, 0.5]), torch.tensor([0.1, 0.25]), torch.zeros(2)
    ours = cut_and_resample(batch, tenth, none, half)
    # 9 of 10 frames at twice the speed; 15 of 20 at half the speed, but never more than 20.
    assert ours.num_frames.tolist() == [4, 20]
    seen = ours.positions[0, :4, 0, 0]
    torch.testing.assert_close(seen, torch.linspace(2, 10, 4))
    torch.testing.assert_close(ours.positions[1, :, 5, 1], torch.linspace(6, 20, 20))
    assert not ours.joint_mask[0, 4:].any()


def test_interpolation_never_mixes_in_a_missing_joint() -> None:
    batch = random_batch(10, (3, 5), missing=0)
    batch.confidence[0, 1] = 0
    batch.positions[0, 1] = 0
    ours = cut_and_resample(batch, torch.zeros(2), torch.zeros(2), torch.tensor([0.6, 1.0]))
    # Times 0, 0.5, 1, 1.5, 2 of three frames, the middle one missing.
    assert ours.num_frames.tolist() == [5, 5]
    assert ours.joint_mask[0, :, 0].tolist() == [True, False, False, True, True]
    assert torch.equal(ours.positions[0, 3], batch.positions[0, 2])


def test_what_is_lost_is_what_was_asked_for() -> None:
    batch = random_batch(11, (20, 10), missing=0)
    hand = drop_hand(
        batch, torch.tensor([True, False]), torch.tensor([0.5, 0.0]), torch.tensor([0.2, 0.0])
    )
    lost = batch.joint_mask & ~hand.joint_mask
    assert lost[0, 10:14, LEFT_HAND].all()
    assert int(lost.sum()) == 4 * 21
    rate = torch.tensor([0.0, 1.0])
    frames = drop_frames(batch, rate, seeded())
    assert torch.equal(frames.joint_mask[0], batch.joint_mask[0])
    assert int(frames.joint_mask[1].all(dim=1).sum()) == 1
    assert int(frames.joint_mask[1].any(dim=1).sum()) == 1
    joints = drop_joints(batch, torch.tensor([0.3, 0.0]), seeded())
    share = 1 - joints.joint_mask[0].float().mean()
    assert 0.25 < share < 0.35
    assert torch.equal(joints.joint_mask[1], batch.joint_mask[1])


@pytest.mark.parametrize("padding", [0, 1, 7])
def test_noise_is_on_real_frames_alone_and_independent_of_padding(padding: int) -> None:
    mask = random_batch(12, (30, 11)).frame_mask
    features = torch.zeros(2, 30, 107)
    noisy = add_noise(features, mask, 0.5, seeded())
    assert (noisy[~mask] == 0).all()
    assert 0.47 < noisy[mask].std() < 0.53
    longer = torch.nn.functional.pad(mask, (0, padding))
    again = add_noise(torch.zeros(2, 30 + padding, 107), longer, 0.5, seeded())
    assert torch.equal(again[:, :30], noisy)
    assert add_noise(features, mask, 0.0, seeded()) is features


def test_noise_is_normal_and_of_each_frame_and_channel_its_own() -> None:
    mask = torch.ones(40, 60, dtype=torch.bool)
    noise = add_noise(torch.zeros(40, 60, 107), mask, 1.0, seeded(5))
    assert abs(noise.mean()) < 0.01
    # What a normal distribution has within one, two and three standard deviations.
    for limit, share in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert abs((noise.abs() < limit).float().mean() - share) < 0.005
    # Neighbours in time, of one clip and of another, and of channels have nothing to do with
    # each other.
    for other in (noise.roll(1, 0), noise.roll(1, 1), noise.roll(1, 2)):
        assert abs((noise * other).mean()) < 0.01
    assert not torch.equal(noise, add_noise(torch.zeros_like(noise), mask, 1.0, seeded(6)))


@pytest.mark.parametrize(
    ("tree", "error"),
    [
        ({"kind": "spoter", "probability": 1.5}, "less than or equal to 1"),
        ({"kind": "strong", "cut_fraction": 0.5}, "less than or equal to 0.45"),
        ({"kind": "strong", "speed": 0.5}, "greater than or equal to 1"),
        ({"kind": "stronger"}, "does not match any of the expected tags"),
    ],
)
def test_impossible_strengths_are_refused(tree: dict[str, object], error: str) -> None:
    adapter: TypeAdapter[AugmentationConfig] = TypeAdapter(AugmentationConfig)
    with pytest.raises(ValidationError, match=error):
        adapter.validate_python(tree)


@pytest.mark.parametrize("kind", ["spoter", "strong"])
def test_every_operation_runs_on_the_device_of_the_batch(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The meta device has no data, but refuses to meet a tensor of another device.
    batch = random_batch(13).to(torch.device("meta"))
    config: AugmentationConfig = SpoterAugmentation(probability=1.0)
    if kind == "strong":
        config = StrongAugmentation(**dict.fromkeys(OFF, 1.0))
    assert augment(batch, config, seeded()).positions.device.type == "meta"
